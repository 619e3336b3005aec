import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { GraphTarget } from '../../src/base/target.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { dtypeCode } from '../../src/onnx/dtype.js';
import { serializeModel } from '../../src/onnx/file.js';
import { cast } from '../../src/onnx/ops.js';
import { viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { emitEmbedding, emitPixels } from '../../src/vit/graph/embedding.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import type { ViT } from '../../src/vit/vit.js';
import { dequantized } from '../compress/dequantized.js';
import { maxDifference, openBench } from '../compress/support.js';
import { describeInBrowser } from '../report/support/browser.js';
import { runOnce } from '../support/engine.js';
import { refusalOf } from '../support/refusal.js';
import { logitsInPage, type PageModel } from './support/page.js';
import {
  imagesOf,
  parityFile,
  tinyModel,
  tinyModels,
  variants,
  type Tiny,
  type TinyImages,
  type Variant,
} from './support/variants.js';

// SwiftShader compiles the programs of dozens of models.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** The most that two runtimes differ by, as a share of the largest logit. */
const TOLERANCE = 1e-5;

/**
 * The same where inputs are rounded to integers as well: one that lies on the edge of a step goes to one side or the other. Of 56 tiny
 * models three differ by more than 0.0005 for it, from their first LayerNorm on, and the most by 0.008.
 */
const ROUNDED_TOLERANCE = 1e-2;

let scratch: string;
const images = new Map<string, TinyImages>();
let pytorch: ReadonlyMap<string, TensorSource>;
const tiny = new Map<string, Tiny>();
const made = new Map<string, ViT>();

/** Models of which there is no such variant, and what is said then. */
const refused: Partial<Record<Variant, readonly (readonly [models: RegExp, words: string])[]>> = {
  merged: [
    [/^(timm_)?beit(_rectangle)?$|^data2vec_shared$|^timm_relative/, 'relative positions'],
    [/^dinov3|^timm_(eva02|dinov3|rope|perception)/, 'rotary positions'],
  ],
  pruned: [[/^timm_(eva02|eva02_clip|beit3)$/, 'norm between the activation and the second layer']],
};
const refusals = Object.entries(refused).flatMap(([variant, of]) =>
  of.flatMap(([models, words]) =>
    tinyModels.filter((name) => models.test(name)).map((name) => [name, variant as Variant, words] as const),
  ),
);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  pytorch = (await readSafetensors(parityFile)).tensors;
  const bench = await openBench();
  for (const name of tinyModels) {
    const opened = await tinyModel(name, bench);
    tiny.set(name, opened);
    images.set(name, await imagesOf(pytorch, name));
    await writeFile(join(scratch, `${name}.pixels`), images.get(name)!.data);
    for (const [variant, make] of Object.entries(variants))
      if (!refusals.some(([model, without]) => model === name && without === variant))
        made.set(`${name} ${variant}`, (await make(opened)).vit);
  }
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function logitsOf(model: string, vit: ViT, target: GraphTarget = 'cpu'): Promise<Float32Array> {
  const inputs = { pixel_values: images.get(model)! };
  return (await runOnce(buildGraph(vit, {}, target), inputs))['logits']!.data as Float32Array;
}

/** What a variant must give in a browser. */
async function expectedOf(model: string, variant: Variant, target: GraphTarget): Promise<Float32Array> {
  const vit = made.get(`${model} ${variant}`)!;
  if (variant === 'fp32') return viewAs(await pytorch.get(model)!.read(), Float32Array);
  // MatMulNBits rounds its inputs in a process, and not in a browser: there it is exact in the weights that the integers stand for.
  return logitsOf(model, roundsInputs(variant, target) ? vit : await dequantized(vit));
}

function roundsInputs(variant: Variant, target: GraphTarget): boolean {
  return variant === 'int8' && target === 'cpu';
}

/** Which of all differ from what they must give by more than rounding, and what they gave. */
async function faultsIn(provider: 'wasm' | 'webgpu', keys: readonly string[]): Promise<object> {
  const target = provider === 'wasm' ? 'cpu' : 'webgpu';
  const models = new Map<string, PageModel>();
  for (const key of keys) {
    const [model = ''] = key.split(' ');
    const path = join(scratch, `${key}.${target}.onnx`);
    await writeFile(path, await serializeModel(buildGraph(made.get(key)!, {}, target)));
    models.set(key, { path, pixels: join(scratch, `${model}.pixels`), dims: images.get(model)!.dims });
  }
  const found = await logitsInPage(provider, models, scratch);
  expect(Object.keys(found)).toEqual(keys);
  const faults: Record<string, unknown> = {};
  for (const [key, logits] of Object.entries(found)) {
    const [model, variant] = key.split(' ') as [string, Variant];
    const expected = await expectedOf(model, variant, target);
    const largest = Math.max(...expected.map(Math.abs));
    const difference = typeof logits === 'string' ? logits : maxDifference(logits, expected) / largest;
    const tolerance = roundsInputs(variant, target) ? ROUNDED_TOLERANCE : TOLERANCE;
    if (typeof difference === 'string' || !(difference < tolerance)) faults[key] = difference;
  }
  return faults;
}

describeInBrowser('the tiny models', () => {
  it('give on WebAssembly what PyTorch gives, and a few variants of each what a process gives', async () => {
    const some = [...made.keys()].filter((key, index) => key.endsWith(' fp32') || index % 4 === 0);
    for (const variant of Object.keys(variants))
      expect(some.some((key) => key.endsWith(` ${variant}`))).toBe(true);
    expect(await faultsIn('wasm', some)).toEqual({});
  });

  it('embed patches that are read as bytes on WebAssembly with the same bits as in a process', async () => {
    for (const model of ['dinov2_registers_smaller', 'dinov3', 'timm_rectangle']) {
      const vit = made.get(`${model} int8`)!;
      expect(vit.bytePatches).toBeDefined();
      const g = new GraphBuilder('embedding');
      // The page gives what is called so.
      const embedded = emitEmbedding(g, vit, emitPixels(g, vit));
      g.output(cast(g, 'logits', embedded, 'float32', dtypeCode('float32')));
      const graph = g.finish();
      const [path, pixels] = [join(scratch, `${model}.embedding.onnx`), join(scratch, `${model}.pixels`)];
      await writeFile(path, await serializeModel(graph));
      const { dims } = images.get(model)!;
      const found = await logitsInPage('wasm', new Map([[model, { path, pixels, dims }]]), scratch);
      const here = await runOnce(graph, { pixel_values: images.get(model)! });
      expect(found[model]).toEqual([...(here['logits']!.data as Float32Array)]);
    }
  });

  it('give on WebGPU what PyTorch gives, and a few variants of each what a process gives', async () => {
    // Each model as it is; and all ways, each with some models: compiling their shaders takes a second each.
    const some = [...made.keys()].filter((key, index) => key.endsWith(' fp32') || index % 8 === 0);
    for (const variant of Object.keys(variants))
      expect(some.some((key) => key.endsWith(` ${variant}`))).toBe(true);
    expect(await faultsIn('webgpu', some)).toEqual({});
  });
});

describe('the tiny models', () => {
  it.each(tinyModels)(
    '%s in float16 stays near itself where linears are computed in float16',
    async (name) => {
      const vit = made.get(`${name} fp16`)!;
      const graph = buildGraph(vit, {}, 'webgpu-f16');
      expect(graph.values.find((value) => value.name === 'layers.0.fc1')!.dtype).toBe('float16');
      const [half, exact] = [await logitsOf(name, vit, 'webgpu-f16'), await logitsOf(name, vit)];
      const difference = maxDifference(half, exact) / Math.max(...exact.map(Math.abs));
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(0.01);
    },
  );

  it.each(refusals)('%s is not %s, and says why', async (name, variant, words) => {
    const { found } = await refusalOf(() => variants[variant](tiny.get(name)!));
    expect(found).toContain(words);
  });
});
