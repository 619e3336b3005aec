import { beforeAll, describe, expect, it } from 'vitest';
import { changesOf, withChanges } from '../../src/compress/checkpoints.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { precision } from '../../src/compress/precision/stage.js';
import {
  quantizeOptionsSchema,
  type Format,
  type QuantizeOptions,
} from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { floatsOf } from '../../src/compress/weights.js';
import { IMAGE_CHANNELS } from '../../src/data/dataset.js';
import {
  pixelBytes,
  PIXELS,
  preprocessingGraph,
  PIXEL_VALUES,
  type Preprocessing,
} from '../../src/data/preprocess.js';
import { square } from '../../src/base/size.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { batch } from '../../src/onnx/dims.js';
import { serializeModel } from '../../src/onnx/file.js';
import { float32, viewAs } from '../../src/onnx/tensor.js';
import { defaultSessionOptions } from '../../src/runtime/engine.js';
import { patchValues } from '../../src/vit/config.js';
import { emitBytes } from '../../src/vit/graph/embedding.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { formCounts, weightOf, withWeights, type ViT } from '../../src/vit/vit.js';
import { dequantized } from './dequantized.js';
import { copyOf, kernelsOf, logitsOf, maxDifference, openBench, valuesOf, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

/** The embedding alone. */
const options = (more: object = {}): QuantizeOptions =>
  quantizeOptionsSchema.parse({ images: 32, rows: 256, keep: ['layers.*'], ...more });

const quantised = async (vit: ViT, more: object = {}): Promise<ViT> =>
  (await quantize(vit, bench.context, options(more))).vit;

/** Σ (a − b)² / Σ b². */
function error(a: Float32Array, b: Float32Array): number {
  let [noise, signal] = [0, 0];
  for (const [i, value] of b.entries()) {
    noise += (a[i]! - value) ** 2;
    signal += value ** 2;
  }
  return noise / signal;
}

const rgb = (...values: number[]): number[] =>
  values.length === 1 ? [0, 1, 2].map(() => values[0]!) : values;
const normalisations: Record<string, Partial<Preprocessing>> = {
  'a half, between two bytes': { mean: rgb(0.5), std: rgb(0.5) },
  "ImageNet's": { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  "CLIP's": { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
  'none but the rescaling': { mean: rgb(0), std: rgb(1) },
  'no rescaling': { rescale: 1, mean: rgb(127.5), std: rgb(58.3) },
  'from −1 to 1 without a mean': { rescale: 1 / 127.5, mean: rgb(1), std: rgb(1) },
  'a mean that is no pixel': { mean: [-0.2, 1.3, 0.1], std: [0.01, 3, 1] },
  'one channel of grey': { grey: true, mean: [0.1307], std: [0.3081] },
  'one channel of grey around a half': { grey: true, mean: [0.5], std: [0.25] },
};

describe('the bytes that pixels were made of', () => {
  it.each(Object.entries(normalisations))('come back one and all: %s', async (_, normalisation) => {
    const size = square(32);
    const preprocessing: Preprocessing = {
      ...{ size, interpolation: 'linear', rescale: 1 / 255, mean: [], std: [] },
      ...normalisation,
    };
    const { engine } = bench;
    const normalise = await engine.open(await serializeModel(preprocessingGraph(preprocessing)), {
      ...defaultSessionOptions,
      threads: 1,
    });
    const count = size.height * size.width;
    const pixels = Uint8Array.from({ length: IMAGE_CHANNELS * count }, (_, i) => i % 256);
    const dims = [1, IMAGE_CHANNELS, size.height, size.width];
    const made = await normalise.run({ [PIXELS]: engine.tensor('uint8', pixels, dims) });
    await normalise.close();
    const values = made[PIXEL_VALUES]!.data as Float32Array;
    const channels = values.length / count;

    const g = new GraphBuilder('bytes');
    const x = g.input('x', 'float32', [batch, channels, size.height, size.width]);
    g.output(emitBytes(g, x, pixelBytes(preprocessing)));
    const back = await engine.open(await serializeModel(g.finish()), {
      ...defaultSessionOptions,
      threads: 1,
    });
    const found = await back.run({ x: engine.tensor('float32', values, [1, channels, 32, 32]) });
    await back.close();
    expect(Object.values(found)[0]!.data).toEqual(pixels.subarray(0, channels * count));
  });
});

describe('an embedding in INT8', () => {
  let vit: ViT;
  beforeAll(async () => {
    vit = await quantised(bench.vit);
  });

  it('is one integer product more, and a float one less', async () => {
    expect(formCounts(vit).float).toBe(24);
    expect(weightOf(vit, 'patch.weight')).toMatchObject({ dtype: 'int8', dims: [128, 192] });
    const kernels = await kernelsOf(bench, vit);
    expect(kernels.get('MatMulIntegerToFloat')).toBe(1);
    expect(kernels.get('Gemm')).toBe((await kernelsOf(bench, bench.vit)).get('Gemm')! - 1);
  });

  it('gives Σ scale · weight · byte + bias for each patch', async () => {
    const { config } = vit;
    const { steps, zeros, weightScales } = vit.bytePatches!;
    const found = (await valuesOf(bench, vit, ['patch'], bench.pixels)).get('patch')!;
    const weight = viewAs(await weightOf(vit, 'patch.weight').read(), Int8Array);
    const bias = await floatsOf(vit, 'patch.bias');
    const { height: side } = config.patchSize;
    const { height: size } = config.imageSize;
    const across = size / side;
    const byteAt = (image: number, channel: number, y: number, x: number): number => {
      const pixel = bench.pixels[((image * config.channels + channel) * size + y) * size + x]!;
      return Math.round(pixel / steps[channel]! + zeros[channel]!);
    };
    let largest = 0;
    for (const [image, patch, output] of [
      [0, 0, 0],
      [3, 14, 5],
      [11, across + 1, 127],
      [31, across * across - 1, 64],
    ] as const) {
      let [sum, i] = [0, output * patchValues(config)];
      for (let channel = 0; channel < config.channels; channel++)
        for (let row = 0; row < side; row++)
          for (let column = 0; column < side; column++) {
            const [top, left] = [Math.floor(patch / across) * side, (patch % across) * side];
            sum += weight[i++]! * byteAt(image, channel, top + row, left + column);
          }
      const expected = sum * weightScales[output]! + bias[output]!;
      largest = Math.max(largest, Math.abs(expected));
      expect(found[(image * across * across + patch) * 128 + output]!).toBeCloseTo(expected, 4);
    }
    expect(largest).toBeGreaterThan(0.05);
  });

  it('reads pixels without any error: it gives what the float product of its weights gives', async () => {
    const read = async (model: ViT): Promise<Float32Array> =>
      (await valuesOf(bench, model, ['patch'], bench.pixels)).get('patch')!;
    expect(error(await read(vit), await read(await dequantized(vit)))).toBeLessThan(1e-10);
  });

  it('rounds its weights so that less is lost than by rounding each to the nearest', async () => {
    const read = async (model: ViT): Promise<Float32Array> =>
      (await valuesOf(bench, model, ['patch'], bench.pixels)).get('patch')!;
    const float = await read(bench.vit);
    const { steps, weightScales } = vit.bytePatches!;
    const weight = await copyOf(bench.vit, 'patch.weight');
    const inputs = patchValues(vit.config);
    const nearest = weight.map((w, at) => {
      const unit = weightScales[Math.floor(at / inputs)]! / steps[Math.floor((at % inputs) / 64)]!;
      return Math.min(127, Math.max(-127, Math.round(w / unit))) * unit;
    });
    const rounded = withWeights(bench.vit, [['patch.weight', float32([128, inputs], nearest)]]);
    expect(error(await read(vit), float)).toBeLessThan(0.3 * error(await read(rounded), float));
  });

  it('has pairs of weights whose products with the largest bytes fit into 16 bits, unless it is told otherwise', async () => {
    const mostOfPairs = async (model: ViT): Promise<number> => {
      const weight = viewAs(await weightOf(model, 'patch.weight').read(), Int8Array);
      let most = 0;
      for (let at = 0; at < weight.length; at += 2)
        most = Math.max(most, Math.abs(weight[at]! + weight[at + 1]!));
      return most;
    };
    expect(255 * (await mostOfPairs(vit))).toBeLessThanOrEqual(32_767);
    expect(await mostOfPairs(await quantised(bench.vit, { boundPairs: false }))).toBeGreaterThan(128);
  });

  it('moves the logits by less than a hundredth of a per cent of their squares', async () => {
    expect(error(await logitsOf(bench, vit), await logitsOf(bench, bench.vit))).toBeLessThan(1e-4);
  });

  it('is float again where a graph for WebGPU is written, with the same weights', async () => {
    const graph = buildGraph(vit, {}, 'webgpu');
    expect(graph.nodes.map(({ opType }) => opType)).not.toContain('MatMulIntegerToFloat');
    const there = await valuesOf(bench, vit, ['patch'], bench.pixels, graph);
    const here = await valuesOf(bench, vit, ['patch'], bench.pixels);
    expect(error(there.get('patch')!, here.get('patch')!)).toBeLessThan(1e-10);
  });

  it('is kept with the changes of a stage', () => {
    expect(withChanges(bench.vit, changesOf(bench.vit, vit)).bytePatches).toEqual(vit.bytePatches);
    expect(withChanges(vit, changesOf(vit, vit)).bytePatches).toBe(vit.bytePatches);
  });
});

describe('an embedding stays float', () => {
  it.each<Format>(['qdq', 'dynamic', 'w8', 'w4'])('in the format %s', async (format) => {
    const { vit, report } = await quantize(bench.vit, bench.context, options({ format }));
    expect(vit.bytePatches).toBeUndefined();
    expect(vit.weights.get('patch.weight')).toBe(bench.vit.weights.get('patch.weight'));
    expect(report.linears).toEqual([]);
    expect(report.kept).not.toContain('patch');
  });

  it('where it is to be kept', async () => {
    const { vit, report } = await quantize(
      bench.vit,
      bench.context,
      options({ keep: ['layers.*', 'patch'] }),
    );
    expect(vit.bytePatches).toBeUndefined();
    expect(report.kept).toHaveLength(25);
    expect(vit.weights.get('patch.weight')).toBe(bench.vit.weights.get('patch.weight'));
  });

  it('where a budget returns it, with the weights that it had', async () => {
    // Weights beside which no scale is fine enough for the others.
    const budget = { agreement: 1, images: 128 };
    const coarse = { clipWeights: false, perChannel: false, images: 8 };
    const weight = await copyOf(bench.vit, 'patch.weight');
    const inputs = patchValues(bench.vit.config);
    for (let o = 0; o < 128; o++) {
      weight[o * inputs]! += o % 2 === 0 ? 6 : -6;
      weight[(o + 1) * inputs - 1]! -= o % 2 === 0 ? 6 : -6;
    }
    const spiked = withWeights(bench.vit, [['patch.weight', float32([128, inputs], weight)]]);
    const { vit, report } = await quantize(spiked, bench.context, options({ ...coarse, budget }));
    expect(report.returned).toEqual(['patch']);
    expect(vit.bytePatches).toBeUndefined();
    expect(vit.weights.get('patch.weight')).toBe(spiked.weights.get('patch.weight'));
    expect(maxDifference(await logitsOf(bench, vit), await logitsOf(bench, spiked))).toBeLessThan(1e-4);
  });
});

describe('an embedding in INT8 and one stored as float16', () => {
  const half = precisionOptionsSchema.parse({ float16: ['patch'] });

  it('is quantised from its halves', async () => {
    const stored = (await precision(bench.vit, bench.context, half)).vit;
    expect(weightOf(stored, 'patch.weight').dtype).toBe('float16');
    const vit = await quantised(stored);
    expect(weightOf(vit, 'patch.weight').dtype).toBe('int8');
    expect(error(await logitsOf(bench, vit), await logitsOf(bench, bench.vit))).toBeLessThan(1e-4);
  });

  it('is left as it is when it is quantised already', async () => {
    const vit = await quantised(bench.vit);
    const { vit: after, report } = await precision(vit, bench.context, half);
    expect(report.components.find(({ component }) => component === 'patch')).toMatchObject({
      stored: 'unchanged',
      because: 'quantised',
    });
    expect(after.weights.get('patch.weight')).toBe(vit.weights.get('patch.weight'));
  });
});
