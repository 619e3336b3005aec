import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { square } from '../../src/base/size.js';
import { readModel } from '../../src/onnx/file.js';
import { viewAs } from '../../src/onnx/tensor.js';
import type { Engine } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import type { ViTConfig } from '../../src/vit/config.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { foreignGraph } from '../../src/vit/onnx/graph.js';
import { imageInput } from '../../src/vit/onnx/image-input.js';
import { loadOnnx } from '../../src/vit/onnx/load.js';
import { UnrecognisedGraph } from '../../src/vit/onnx/unrecognised.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import type { ViT } from '../../src/vit/vit.js';
import { runOnce } from '../support/engine.js';

/** What real exporters wrote (`make.py`), with PyTorch's logits. */
const folder = join(packageRoot(), 'test', 'vit', 'exports');

let engine: Engine;
beforeAll(async () => {
  engine = await nodeEngine();
});

async function parity(name: string): Promise<Float32Array> {
  const { tensors } = await readSafetensors(join(folder, 'parity.safetensors'));
  return viewAs(await tensors.get(name)!.read(), Float32Array);
}

const wide = { height: 16, width: 24 };

/** The largest difference from PyTorch's logits of a model, as a share of the largest. */
async function differenceFrom(name: string, vit: ViT): Promise<number> {
  const { tensors } = await readSafetensors(join(folder, 'parity.safetensors'));
  const images = tensors.get(`${name}.pixel_values`) ?? tensors.get('pixel_values')!;
  const data = viewAs(await images.read(), Float32Array);
  const [output] = Object.values(
    await runOnce(buildGraph(vit), { pixel_values: { dims: images.dims, data } }),
  );
  const [given, expected] = [output!.data as Float32Array, await parity(name)];
  expect(given).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...given.map((value, at) => Math.abs(value - expected[at]!))) / largest;
}

const load = async (name: string) => {
  const path = join(folder, `${name}.onnx`);
  return loadOnnx(path, await readModel(path), undefined, engine);
};

describe('what real exporters write', () => {
  it.each<[string, Partial<ViTConfig>]>([
    ['vit', { distilled: false, heads: 3 }],
    ['vit-tanh', { activation: 'gelu-tanh' }],
    ['vit-relu', { activation: 'relu' }],
    ['dinov2', { pooling: 'class-patches' }],
    ['dinov2-swiglu-registers', { pooling: 'class-patches', activation: 'swiglu', registers: 4 }],
    ['beit', { pooling: 'patches', lastNorm: 'pooled', relativePositions: true }],
    ['clip', { pooling: 'patches', lastNorm: 'none', firstNorm: true, activation: 'quick-gelu' }],
    ['siglip', { pooling: 'patches', classToken: false, activation: 'gelu-tanh' }],
    ['timm-average-registers', { pooling: 'patches', lastNorm: 'pooled', registers: 2 }],
    ['timm-no-class-token', { pooling: 'patches', classToken: false }],
    ['timm-query-key-norms', { queryKeyNorms: true }],
    ['timm-swiglu', { activation: 'swiglu' }],
    ['timm-attention-pool', { pooling: 'patches-attention', registers: 1, poolSize: 24 }],
    ['timm-relative', { pooling: 'patches', classToken: false, relativePositions: true }],
    ['beit-one-scale', { pooling: 'patches', lastNorm: 'pooled' }],
    ['siglip-backbone', { pooling: 'tokens-attention', classToken: false, labels: [] }],
    ['vit-unoptimised', { heads: 3 }],
  ])('is recognised: %s', async (name, fields) => {
    const { vit } = await load(name);
    expect(vit.config).toMatchObject({
      ...fields,
      hiddenSize: 12,
      imageSize: square(16),
      patchSize: square(4),
    });
    expect(await differenceFrom(name, vit)).toBeLessThan(2e-5);
  });

  it.each<[string, Partial<ViTConfig>]>([
    ['vit-rectangle', { imageSize: wide, patchSize: { height: 4, width: 8 } }],
    ['beit-rectangle', { imageSize: wide, patchSize: square(4), relativePositions: true }],
    ['timm-rectangle-grey', { imageSize: wide, patchSize: { height: 8, width: 4 }, channels: 1 }],
  ])('is recognised where it takes no squares, or grey images: %s', async (name, fields) => {
    const { vit } = await load(name);
    expect(vit.config).toMatchObject(fields);
    expect(await differenceFrom(name, vit)).toBeLessThan(2e-5);
  });

  it.each(['clip', 'siglip', 'vit'])(
    'is recognised where its input leaves all axes open: %s',
    async (name) => {
      const path = join(folder, `${name}.onnx`);
      const model = await readModel(path);
      const inputs = model.inputs.map((input) => ({
        ...input,
        dims: ['batch', 'channels', 'height', 'width'],
      }));
      const { vit } = await loadOnnx(path, { ...model, inputs }, undefined, engine);
      expect(vit.config).toMatchObject({ imageSize: square(16), channels: 3 });
    },
  );

  it.each(['raw-qdq', 'raw-dynamic'])('tells its size where it is quantised, too: %s', async (name) => {
    const path = join(folder, `${name}.onnx`);
    const model = await readModel(path);
    const inputs = model.inputs.map((input) => ({
      ...input,
      dims: ['batch', 'channels', 'height', 'width'],
    }));
    expect(imageInput(foreignGraph(path, { ...model, inputs })).dims).toEqual([2, 3, 16, 16]);
  });

  it('tells its size by positions that lie in a table of two dimensions', async () => {
    const path = join(folder, 'vit.onnx');
    const model = await readModel(path);
    const [input] = model.inputs;
    const initializers = new Map(
      [...model.initializers].map(([name, tensor]) => [
        name,
        tensor.dims.length === 3 && tensor.dims[1] === 17 ? { ...tensor, dims: [17, 12] } : tensor,
      ]),
    );
    const open = { ...input!, dims: ['batch', 'channels', 'height', 'width'] };
    const graph = foreignGraph(path, { ...model, initializers, inputs: [open] });
    expect([...initializers.values()].some(({ dims }) => dims.join() === '17,12')).toBe(true);
    expect(imageInput(graph).dims).toEqual([2, 3, 16, 16]);
  });

  it('is recognised whatever the order of its nodes', async () => {
    const path = join(folder, 'vit.onnx');
    const model = await readModel(path);
    const { vit } = await loadOnnx(path, { ...model, nodes: [...model.nodes].reverse() }, undefined, engine);
    expect(await differenceFrom('vit', vit)).toBeLessThan(2e-5);
  });

  it.each<[string, string, readonly string[]]>([
    ['fused-attention', 'vit', ['Attention', 'SkipLayerNormalization', 'BiasGelu']],
    ['fused-multi-head-attention', 'vit', ['MultiHeadAttention', 'SkipLayerNormalization', 'BiasGelu']],
    ['ort-vit', 'vit', ['SkipLayerNormalization', 'BiasGelu']],
    ['ort-vit-tanh', 'vit-tanh', ['FastGelu']],
    ['ort-timm-query-key-norms', 'timm-query-key-norms', ['SkipLayerNormalization']],
    ['ort-siglip', 'siglip', ['SkipLayerNormalization']],
    ['ort-clip', 'clip', ['QuickGelu', 'SkipLayerNormalization']],
    ['session-vit', 'vit', ['FusedMatMul', 'BiasGelu']],
    ['session-timm-average-registers', 'timm-average-registers', ['FusedMatMul']],
    ['session-clip', 'clip', ['FusedMatMul', 'QuickGelu']],
    // One Split is both choices of tokens.
    ['session-dinov2', 'dinov2', ['FusedMatMul']],
    ['session-siglip-backbone', 'siglip-backbone', ['FusedMatMul']],
  ])('is recognised behind the operators that ONNX Runtime fused: %s', async (name, of, operators) => {
    const { nodes } = await readModel(join(folder, `${name}.onnx`));
    const fused = nodes.filter(({ domain }) => domain === 'com.microsoft').map(({ opType }) => opType);
    expect(fused).toEqual(expect.arrayContaining([...operators]));
    const { vit, widened } = await load(name);
    expect(widened).toBe(false);
    expect(await differenceFrom(of, vit)).toBeLessThan(2e-5);
  });

  it.each([
    ['half-vit', 'vit'],
    ['half-dinov2', 'dinov2'],
    ['half-timm-swiglu', 'timm-swiglu'],
    ['half-ort-vit', 'vit'],
    ['half-islands-vit', 'vit'],
  ])('is recognised in 16 bits, whose numbers are widened: %s', async (name, of) => {
    const { vit, widened, difference } = await load(name);
    expect(widened).toBe(true);
    expect(difference).toBeLessThan(0.01);
    // As far as rounding the weights to 11 bits goes.
    const rounded = await differenceFrom(of, vit);
    expect(rounded).toBeGreaterThan(1e-6);
    expect(rounded).toBeLessThan(5e-3);
  });

  it.each([
    ['raw-dynamic', 'DynamicQuantizeLinear'],
    ['raw-qdq', 'DequantizeLinear'],
  ])('is no model where it is quantised already: %s', async (name, operator) => {
    const refusal = load(name);
    await expect(refusal).rejects.toBeInstanceOf(UnrecognisedGraph);
    await expect(refusal).rejects.toMatchObject({
      reason: { kind: 'quantised', operator: expect.stringMatching(operator) as string },
    });
  });
});
