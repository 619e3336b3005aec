import { beforeAll, describe, expect, it } from 'vitest';
import { head } from '../../src/compress/head/stage.js';
import { headOptionsSchema } from '../../src/compress/head/options.js';
import { mergeTokensOptionsSchema } from '../../src/compress/merge-tokens/options.js';
import { mergeTokens, withMerges } from '../../src/compress/merge-tokens/stage.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { precision } from '../../src/compress/precision/stage.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { pruneAttentionOptionsSchema } from '../../src/compress/prune-attention/options.js';
import { resizePatchesOptionsSchema } from '../../src/compress/resize-patches/options.js';
import { resizePatches } from '../../src/compress/resize-patches/stage.js';
import { pruneAttention } from '../../src/compress/prune-attention/stage.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { seededRandom } from '../../src/base/random.js';
import { float32 } from '../../src/onnx/tensor.js';
import { featureWidth, headWidth, patchCount, type ViTConfig } from '../../src/vit/config.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { formCounts, weightOf, withWeights, type ViT } from '../../src/vit/vit.js';
import { runOnce } from '../support/engine.js';
import { refusalOf } from '../support/refusal.js';
import { floatsOf } from '../../src/compress/weights.js';
import { wholeGraph } from '../support/whole-graph.js';
import { maxDifference, openBench, type Bench } from './support.js';
import { referenceOf, smallViT } from './tome-reference.js';

/** What a Vision Transformer may have that the first one has not, each alone, and most of it together. */
const fields: [string, Partial<ViTConfig>][] = [
  ['GELU by tanh', { activation: 'gelu-tanh' }],
  ["CLIP's GELU", { activation: 'quick-gelu' }],
  ['SiLU', { activation: 'silu' }],
  ['ReLU', { activation: 'relu' }],
  ['SwiGLU', { activation: 'swiglu' }],
  ['the mean of the patches', { pooling: 'patches' }],
  [
    'the mean of the patches, then normed, without a class token',
    { classToken: false, pooling: 'patches', lastNorm: 'pooled' },
  ],
  ['the mean of all tokens', { pooling: 'tokens' }],
  ['the class token beside the mean', { pooling: 'class-patches' }],
  ['pooling by attention', { pooling: 'tokens-attention', poolSize: 20, activation: 'gelu-tanh' }],
  ['pooling of the patches by attention', { pooling: 'patches-attention', poolSize: 12, registers: 1 }],
  ['no last norm', { pooling: 'patches', lastNorm: 'none' }],
  ['two registers', { registers: 2 }],
  ['three registers without a class token', { classToken: false, registers: 3, pooling: 'patches' }],
  ['no positions', { positions: false }],
  ['a first norm', { firstNorm: true }],
  ['norms of queries and keys', { queryKeyNorms: true }],
  ['wider heads', { headSize: 12 }],
  [
    'relative positions',
    { relativePositions: true, positions: false, pooling: 'patches', lastNorm: 'pooled' },
  ],
  ['relative positions and a class token', { relativePositions: true }],
  [
    'relative positions without a class token',
    { relativePositions: true, positions: false, classToken: false, pooling: 'patches' },
  ],
  ['rotary positions', { rotary: 'shared', positions: false, registers: 1, pooling: 'patches' }],
  ['rotary positions and nothing that reads patches', { rotary: 'shared' }],
  ['rotary positions of each head', { rotary: 'per-head', queryKeyNorms: true, pooling: 'class-patches' }],
  ['a norm behind attention', { attentionNorm: true, pooling: 'patches' }],
  ['norms within the MLPs', { mlpNorm: true, activation: 'swiglu' }],
  ['norms behind attention and within the MLPs', { attentionNorm: true, mlpNorm: true, headSize: 12 }],
  ['more heads in pooling', { pooling: 'tokens-attention', poolSize: 20, poolHeads: 6 }],
  ['a distillation token and registers', { distilled: true, registers: 1 }],
  ['a projection of the class token', { projection: 14, firstNorm: true }],
  [
    'nearly all of it',
    {
      ...{ activation: 'swiglu', registers: 4, firstNorm: true, queryKeyNorms: true, headSize: 6 },
      pooling: 'class-patches',
    },
  ],
];

const IMAGES = 2;
let pixels: Float32Array;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  pixels = bench.pixels.subarray(0, IMAGES * 3 * 32 * 32);
});

async function logitsOf(vit: ViT, target: 'cpu' | 'webgpu' = 'cpu'): Promise<Float32Array> {
  const inputs = { pixel_values: { dims: [IMAGES, 3, 32, 32], data: pixels } };
  return (await runOnce(buildGraph(vit, {}, target), inputs))['logits']!.data as Float32Array;
}

async function expectedOf(vit: ViT): Promise<number[]> {
  const one = 3 * 32 * 32;
  const all = [0, 1].map((image) => referenceOf(vit, pixels.subarray(image * one, (image + 1) * one)));
  return (await Promise.all(all)).flatMap(({ logits }) => logits);
}

/** The root of the mean square of the difference, in units of what it is the difference to. */
function relative(found: Float32Array, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}

describe.each(fields)('a model with %s', (name, changes) => {
  const vit = smallViT(name.length, changes);
  const { relativePositions = false, rotary, mlpNorm = false } = changes;
  const merges = !relativePositions && rotary === undefined;

  it('computes what a float64 forward does, on a CPU, on WebGPU, and with the last block whole', async () => {
    const expected = await expectedOf(vit);
    const inputs = { pixel_values: { dims: [IMAGES, 3, 32, 32], data: pixels } };
    const whole = (await runOnce(wholeGraph(vit), inputs))['logits']!.data as Float32Array;
    for (const found of [await logitsOf(vit), await logitsOf(vit, 'webgpu'), whole])
      expect(maxDifference(found, expected)).toBeLessThan(2e-5);
  });

  if (merges)
    it('merges tokens as a float64 forward does', async () => {
      const merged = withMerges(vit, [3, 2, changes.pooling === undefined ? 0 : 2]);
      const expected = await expectedOf(merged);
      for (const target of ['cpu', 'webgpu'] as const)
        expect(maxDifference(await logitsOf(merged, target), expected)).toBeLessThan(2e-5);
    });

  const larger = resizePatchesOptionsSchema.parse({ keep: 0.25, images: 16 });
  if (merges)
    it('takes larger patches as a float64 forward does', async () => {
      const { vit: resized } = await resizePatches(vit, bench.context, larger);
      expect(patchCount(resized.config)).toBeLessThan(patchCount(vit.config));
      const expected = await expectedOf(resized);
      for (const target of ['cpu', 'webgpu'] as const)
        expect(maxDifference(await logitsOf(resized, target), expected)).toBeLessThan(2e-5);
    });
  else
    it('keeps its patches, and says why', async () => {
      const { place, found } = await refusalOf(() => resizePatches(vit, bench.context, larger));
      expect(place).toBe('resize-patches');
      expect(found).toContain(relativePositions ? 'relative positions' : 'rotary positions');
    });

  if (!merges)
    it('does not merge tokens, and says why', async () => {
      const options = mergeTokensOptionsSchema.parse({ r: 1, images: 16 });
      const { place, found } = await refusalOf(() => mergeTokens(vit, bench.context, options));
      expect(place).toBe('merge-tokens');
      expect(found).toContain(relativePositions ? 'relative positions' : 'rotary positions');
    });

  if (mlpNorm)
    it('is not pruned, and says why', async () => {
      const options = pruneOptionsSchema.parse({ ratio: 0.25, images: 16, multiple: 1 });
      const { place, found } = await refusalOf(() => prune(vit, bench.context, options));
      expect(place).toBe('prune');
      expect(found).toContain('norm between the activation and the second layer');
    });

  it.skipIf(mlpNorm)('loses nothing when neurons go that do nothing', async () => {
    const idle = await withIdleNeurons(vit);
    const options = pruneOptionsSchema.parse({
      ...{ ratio: 0.25, images: 16, multiple: 1 },
      ...{ allocation: 'uniform', importance: 'magnitude' },
    });
    const { vit: pruned } = await prune(idle, bench.context, options);
    expect(pruned.config.mlpSizes).toEqual([30, 24, 27]);
    expect(relative(await logitsOf(pruned), await logitsOf(idle))).toBeLessThan(1e-4);
  });

  if (rotary !== undefined || changes.queryKeyNorms)
    it('keeps the width of its queries and keys, and says why', async () => {
      const options = pruneAttentionOptionsSchema.parse({ ratio: 0.25, images: 16, multiple: 1 });
      const { place, found } = await refusalOf(() => pruneAttention(vit, bench.context, options));
      expect(place).toBe('prune-attention');
      expect(found).toContain(rotary === undefined ? 'norms of queries and keys' : 'rotary positions');
    });
  else
    it('loses nothing when channels of queries and keys go that do nothing', async () => {
      const idle = await withIdleChannels(vit);
      const width = headWidth(vit.config);
      const options = pruneAttentionOptionsSchema.parse({ ratio: 1 / width, images: 16, multiple: 1 });
      const { vit: pruned } = await pruneAttention(idle, bench.context, options);
      expect(pruned.config.queryKeySizes).toEqual([width - 1, width - 1, width - 1]);
      const expected = await logitsOf(idle);
      for (const target of ['cpu', 'webgpu'] as const)
        expect(relative(await logitsOf(pruned, target), expected)).toBeLessThan(1e-4);
    });

  it.each([
    ['w8a8', 0.3],
    ['w4', 0.5],
  ] as const)('stays near itself as %s, with every linear in that form', async (format, most) => {
    const options = quantizeOptionsSchema.parse({ format, images: 16, rows: 64 });
    const { vit: quantized } = await quantize(vit, bench.context, options);
    expect(formCounts(quantized).float).toBe(0);
    const expected = await logitsOf(vit);
    for (const target of ['cpu', 'webgpu'] as const) {
      const error = relative(await logitsOf(quantized, target), expected);
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(most);
    }
  });

  it('is stored in float16 but for norms, biases and distances', async () => {
    const options = precisionOptionsSchema.parse({ images: 16, float16: ['*'] });
    const { vit: half } = await precision(vit, bench.context, options);
    for (const [tensor, { dtype }] of half.weights)
      expect(dtype, tensor).toBe(
        /norm\d?\.|bias$|distances$|scores$|rotary$/.test(tensor) ? 'float32' : 'float16',
      );
    expect(relative(await logitsOf(half), await logitsOf(vit))).toBeLessThan(0.01);
  });

  it('is given a head for other classes', async () => {
    const options = headOptionsSchema.parse({ images: 120 });
    const { vit: fitted } = await head(vit, bench.context, options);
    const classes = bench.vit.config.labels.length;
    expect(weightOf(fitted, 'head.weight').dims).toEqual([classes, featureWidth(vit.config)]);
    expect((await logitsOf(fitted)).length).toBe(IMAGES * classes);
  });
});

/** A model of whose channels of queries one in each head gives nothing. */
async function withIdleChannels(vit: ViT): Promise<ViT> {
  let idle = vit;
  const random = seededRandom(4);
  const width = headWidth(vit.config);
  for (let layer = 0; layer < vit.config.mlpSizes.length; layer++) {
    const rest = new Set(
      Array.from({ length: vit.config.heads }, (_, head) => head * width + random.integer(width)),
    );
    for (const name of [`layers.${layer}.q.weight`, `layers.${layer}.q.bias`]) {
      const { dims } = weightOf(vit, name);
      const inputs = dims[1] ?? 1;
      const values = Float32Array.from(await floatsOf(vit, name), (value, i) =>
        rest.has(Math.floor(i / inputs)) ? 0 : value,
      );
      idle = withWeights(idle, [[name, float32(dims, values)]]);
    }
  }
  return idle;
}

/** A model of whose neurons every fourth gives nothing: its rows of fc1 and its column of fc2 are zero. */
async function withIdleNeurons(vit: ViT): Promise<ViT> {
  let idle = vit;
  const random = seededRandom(3);
  for (const [layer, size] of vit.config.mlpSizes.entries()) {
    const rest = new Set(Array.from({ length: size / 4 }, (_, i) => 4 * i + random.integer(4)));
    for (const name of [
      `layers.${layer}.fc1.weight`,
      `layers.${layer}.fc1.bias`,
      `layers.${layer}.fc2.weight`,
    ]) {
      const { dims } = weightOf(vit, name);
      const values = Float32Array.from(await floatsOf(vit, name));
      const width = dims[1] ?? 1;
      for (let i = 0; i < values.length; i++) {
        const neuron = name.includes('fc2') ? i % width : Math.floor(i / width) % size;
        if (rest.has(neuron)) values[i] = 0;
      }
      idle = withWeights(idle, [[name, float32(dims, values)]]);
    }
  }
  return idle;
}
