import { beforeAll, describe, expect, it } from 'vitest';
import type { GraphTarget } from '../../src/base/target.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { precision } from '../../src/compress/precision/stage.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { serializeModel } from '../../src/onnx/file.js';
import { targetForm } from '../../src/vit/graph/form.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { linearNames } from '../../src/vit/linears.js';
import { withoutHead, type ViT } from '../../src/vit/vit.js';
import { runOnce } from '../support/engine.js';
import { withMerges } from '../../src/compress/merge-tokens/stage.js';
import { floatsOf } from '../../src/compress/weights.js';
import { dequantized } from './dequantized.js';
import { multiply, transpose } from './reference.js';
import { logitsOf, maxDifference, openBench, type Bench } from './support.js';
import { smallViT } from './tome-reference.js';

let bench: Bench;
let spread: number;
let w8a8: ViT;
let half: ViT;

beforeAll(async () => {
  bench = await openBench();
  spread = Math.max(...bench.reference) - Math.min(...bench.reference);
  const int8 = quantizeOptionsSchema.parse({ format: 'w8a8', images: 16, rows: 32 });
  ({ vit: w8a8 } = await quantize(bench.vit, bench.context, int8));
  ({ vit: half } = await precision(bench.vit, bench.context, precisionOptionsSchema.parse({ images: 16 })));
});

/** The logits of a model's graph for a target, computed by the CPU's provider, which has all of WebGPU's operators. */
async function logitsFor(target: GraphTarget, vit: ViT): Promise<Float32Array> {
  const inputs = { pixel_values: { dims: [32, 3, 32, 32], data: bench.pixels } };
  return (await runOnce(buildGraph(vit, {}, target), inputs))['logits']!.data as Float32Array;
}

const operatorsOf = (vit: ViT, target: GraphTarget): Set<string> =>
  new Set(buildGraph(vit, {}, target).nodes.map(({ opType }) => opType));

describe("WebGPU's graph", () => {
  it('computes what the CPU’s graph does', async () => {
    const [own, other] = [await logitsFor('webgpu', bench.vit), await logitsOf(bench, bench.vit)];
    expect(maxDifference(own, other)).toBeLessThan(1e-5 * spread);
    expect(maxDifference(own, bench.reference)).toBeLessThan(1e-5 * spread);
  });

  it('gives the features of a model without a head, as the CPU’s graph does: what its head would have read', async () => {
    const [weight, bias] = [await floatsOf(bench.vit, 'head.weight'), await floatsOf(bench.vit, 'head.bias')];
    const width = weight.length / bias.length;
    for (const target of ['cpu', 'webgpu'] as const) {
      const inputs = { pixel_values: { dims: [32, 3, 32, 32], data: bench.pixels } };
      const outputs = Object.values(await runOnce(buildGraph(withoutHead(bench.vit), {}, target), inputs));
      expect(outputs.map(({ dims }) => dims)).toEqual([[32, width]]);
      const features = outputs[0]!.data as Float32Array;
      const logits = multiply(features, transpose(weight, bias.length), width).map(
        (value, index) => value + bias[index % bias.length]!,
      );
      expect(maxDifference(logits, bench.reference)).toBeLessThan(1e-5 * spread);
    }
  });

  it('has no operator that WebGPU’s provider leaves to the processor', () => {
    for (const vit of [bench.vit, w8a8, half])
      for (const operator of [
        'Shape',
        'Attention',
        'QuantizeLinear',
        'MatMulIntegerToFloat',
        'DequantizeLinear',
      ])
        expect(operatorsOf(vit, 'webgpu')).not.toContain(operator);
    expect(operatorsOf(bench.vit, 'webgpu')).toContain('SkipLayerNormalization');
    expect(operatorsOf(bench.vit, 'webgpu')).toContain('MultiHeadAttention');
  });

  it('of a W8A8 model has the very weights of that model, with inputs that are quantised otherwise', async () => {
    const own = await logitsFor('webgpu', w8a8);
    const floatInputs = await logitsOf(bench, await dequantized(w8a8));
    // MatMulNBits quantises its inputs to int8 by itself: the weights are exact, the products nearly.
    expect(maxDifference(own, floatInputs)).toBeLessThan(0.02 * spread);
    expect(maxDifference(own, await logitsOf(bench, bench.vit))).toBeGreaterThan(0);
    expect(operatorsOf(w8a8, 'webgpu')).toContain('MatMulNBits');
  });

  it('computes linears in float16 where the adapter can, between float32 norms', async () => {
    const graph = buildGraph(half, {}, 'webgpu-f16');
    const linear = graph.nodes.find(({ name }) => name === 'layers.1.fc1')!;
    expect(graph.values.find(({ name }) => name === linear.outputs[0])!.dtype).toBe('float16');
    for (const { name, dtype } of graph.values)
      if (/(residual\d|norm\d)$/.test(name)) expect(`${name} ${dtype}`).toBe(`${name} float32`);
    const difference = maxDifference(await logitsFor('webgpu-f16', half), bench.reference);
    expect(difference).toBeLessThan(0.02 * spread);
    const widened = buildGraph(half, {}, 'webgpu');
    expect(widened.values.find(({ name }) => name === 'layers.1.fc1')!.dtype).toBe('float32');
    expect(maxDifference(await logitsFor('webgpu', half), await logitsOf(bench, half))).toBeLessThan(
      1e-5 * spread,
    );
  });

  it.each([
    ['a model', smallViT(1), [3, 2, 0]],
    ['a model whose even tokens all go', smallViT(2), [8, 4, 0]],
    ['a distilled model', smallViT(3, { distilled: true }), [4, 0, 0]],
  ])('of %s that merges tokens computes what the CPU’s graph does', async (_, vit, merges) => {
    const merged = withMerges(vit, merges);
    const [own, other] = [await logitsFor('webgpu', merged), await logitsFor('cpu', merged)];
    const range = Math.max(...other) - Math.min(...other);
    expect(maxDifference(own, other)).toBeLessThan(1e-5 * range);
    expect(maxDifference(own, await logitsFor('webgpu', vit))).toBeGreaterThan(1e-3 * range);
    for (const operator of ['TopK', 'GatherND', 'GatherElements', 'Shape', 'Expand'])
      expect(operatorsOf(merged, 'webgpu')).not.toContain(operator);
  });

  it('is no larger than the CPU’s, but for a scale with each 32 weights of int8', async () => {
    for (const [vit, most] of [
      [bench.vit, 1.05],
      [half, 1.05],
      [w8a8, 1.05 + 4 / 32],
    ] as const) {
      const [cpu, gpu] = [
        await serializeModel(buildGraph(vit)),
        await serializeModel(buildGraph(vit, {}, 'webgpu')),
      ];
      expect(gpu.length).toBeLessThan(most * cpu.length);
    }
  });
});

describe('the form of a model on a target', () => {
  it('is the recipe’s own on a CPU', () => {
    expect(targetForm(w8a8, 'cpu')).toMatchObject({ kernels: { MatMulIntegerToFloat: 25, MatMulNBits: 0 } });
    expect(targetForm(w8a8, 'cpu').substitutions).toEqual([]);
  });

  it('says what WebGPU runs instead', () => {
    expect(targetForm(bench.vit, 'webgpu')).toEqual({ kernels: { MatMulNBits: 0 }, substitutions: [] });
    expect(targetForm(w8a8, 'webgpu').kernels).toEqual({ MatMulNBits: 24 });
    expect(targetForm(w8a8, 'webgpu').substitutions).toEqual([{ kind: 'weights-only', linears: 24 }]);
    const linears = linearNames(half.config).length;
    for (const [target, computedIn] of [
      ['webgpu', 'float32'],
      ['webgpu-f16', 'float16'],
    ] as const)
      expect(targetForm(half, target).substitutions).toEqual([
        { kind: 'float16-linears', linears, computedIn },
      ]);
  });
});
