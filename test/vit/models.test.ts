import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { square } from '../../src/base/size.js';
import { viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { featureWidth } from '../../src/vit/config.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { loadModel, modelHere, type LoadedModel } from '../../src/model/load.js';
import { loadCheckpoint } from '../../src/vit/checkpoints/load.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import { openBench, type Bench } from '../compress/support.js';
import { runOnce } from '../support/engine.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { safetensorsBytes, type RawTensor } from './checkpoint.js';
import { imagesOf, parityFile, tinyModel, tinyModels } from './support/variants.js';

let parity: ReadonlyMap<string, TensorSource>;
let bench: Bench;
beforeAll(async () => {
  parity = (await readSafetensors(parityFile)).tensors;
  bench = await openBench();
});

const floats = async (name: string): Promise<Float32Array> =>
  viewAs(await parity.get(name)!.read(), Float32Array);

it.each(tinyModels)(
  '%s gives the logits that PyTorch gave, as graph for a CPU and for WebGPU',
  async (name) => {
    const { vit } = await tinyModel(name, bench);
    const expected = await floats(name);
    const largest = Math.max(...expected.map(Math.abs));
    const inputs = { pixel_values: await imagesOf(parity, name) };
    for (const target of ['cpu', 'webgpu'] as const) {
      const outputs = await runOnce(buildGraph(vit, {}, target), inputs);
      const logits = outputs['logits']!.data as Float32Array;
      expect(logits.length).toBe(expected.length);
      const difference = Math.max(...logits.map((value, i) => Math.abs(value - expected[i]!)));
      expect(difference / largest, target).toBeLessThan(2e-6);
    }
  },
);

const folder = useFolder();

it.each([
  ['timm_eva02', 'tensor blocks.0.mlp.fc1_g.weight'],
  ['timm_dinov3', 'tensor blocks.0.mlp.fc1_g.weight'],
  // Which GELU it has, and which epsilon.
  ['timm_clip_quick_gelu', 'tensor norm_pre.weight'],
])('%s is refused without the configuration that says what no tensor shows', async (name, found) => {
  const path = folder('model.safetensors');
  await copyFile(join(packageRoot(), 'test', 'vit', 'models', name, 'model.safetensors'), path);
  const { place, expected } = await refusalOf(() => loadCheckpoint(path, undefined));
  expect(place).toBe(found);
  expect(expected).toContain('config.json');
});

it('is normed behind attention and MLP where timm’s settings or the name of EVA-02’s largest say so', async () => {
  const own = join(packageRoot(), 'test', 'vit', 'models', 'timm_res_post_norm');
  const path = folder('model.safetensors');
  await copyFile(join(own, 'model.safetensors'), path);
  const { model_args } = JSON.parse(await readFile(join(own, 'config.json'), 'utf8')) as {
    model_args: object;
  };
  const normedBehind = async (architecture: string, said: object): Promise<boolean | undefined> => {
    const config = { architecture, global_pool: 'avg', model_args: { ...model_args, ...said } };
    await writeFile(folder('config.json'), JSON.stringify(config));
    return (await loadCheckpoint(path, folder('config.json'))).vit.config.resPostNorm;
  };
  expect(await normedBehind('vit_small_patch16_224', {})).toBeUndefined();
  expect(await normedBehind('vit_small_patch16_224', { use_post_norm: true })).toBe(true);
  expect(await normedBehind('eva02_enormous_patch14_clip_224', {})).toBe(true);
});

it('of BEiT a backbone without its last norm is read: Transformers begins with one without weights', async () => {
  const own = join(packageRoot(), 'test', 'vit', 'models', 'beit');
  const kept = new Map<string, RawTensor>();
  for (const [name, tensor] of (await readSafetensors(join(own, 'model.safetensors'))).tensors)
    if (!/^(classifier|beit\.pooler)\./.test(name))
      kept.set(name, { dtype: 'F32', shape: tensor.dims, bytes: await tensor.read() });
  const path = folder('model.safetensors');
  await writeFile(path, safetensorsBytes(kept));
  const { vit, notes } = await loadCheckpoint(path, join(own, 'config.json'));
  expect(vit.config).toMatchObject({ pooling: 'patches', lastNorm: 'pooled', labels: [] });
  const values = async (name: string) => [...viewAs(await vit.weights.get(name)!.read(), Float32Array)];
  expect(new Set(await values('norm.weight'))).toEqual(new Set([1]));
  expect(new Set(await values('norm.bias'))).toEqual(new Set([0]));
  expect(notes.join()).toContain('LayerNorm without weights');
});

it('of CLIP the class token is projected unless a classifier reads it, and texts are left out by name', async () => {
  const { vit, record } = await load('clip_projected');
  expect(vit.config).toMatchObject({ projection: 8, hiddenSize: 12, labels: [], firstNorm: true });
  expect(featureWidth(vit.config)).toBe(8);
  expect(record.notes).toContain('Left out: the model of texts.');
  expect((await load('clip')).vit.config.projection).toBeUndefined();

  async function load(name: string): Promise<LoadedModel> {
    const path = join(packageRoot(), 'test', 'vit', 'models', name);
    return loadModel(await modelHere({ kind: 'path', name, path }), ['a', 'b']);
  }
});

describe('a model of open_clip', () => {
  const own = join(packageRoot(), 'test', 'vit', 'models', 'open_clip');
  const stored = async (change: (config: OpenClipConfig) => void): Promise<string> => {
    await copyFile(join(own, 'open_clip_model.safetensors'), folder('open_clip_model.safetensors'));
    const config = JSON.parse(await readFile(join(own, 'open_clip_config.json'), 'utf8')) as OpenClipConfig;
    change(config);
    await writeFile(folder('open_clip_config.json'), JSON.stringify(config));
    // Of the same model in Transformers, as repositories have it.
    await writeFile(folder('config.json'), '{ "model_type": "clip" }');
    return folder();
  };
  const load = async (path: string): Promise<LoadedModel> =>
    loadModel(await modelHere({ kind: 'path', name: 'clip', path }), ['a', 'b']);

  it('is prepared and activated as its own configuration says, and its texts are left out', async () => {
    const { vit, preprocessing, record } = await load(await stored(() => undefined));
    expect(vit.config).toMatchObject({ heads: 3, activation: 'quick-gelu', firstNorm: true, labels: [] });
    expect(preprocessing).toMatchObject({ size: square(16), interpolation: 'cubic', mean: [0.5, 0.5, 0.5] });
    expect(record.notes.filter((note) => note.startsWith('Left out: '))).toEqual([
      'Left out: the model of texts.',
    ]);
    const other = await load(await stored(({ model_cfg }) => delete model_cfg.quick_gelu));
    expect(other.vit.config.activation).toBeUndefined();
  });

  it('is refused where its tower is another library’s, pools otherwise, or nothing describes it', async () => {
    for (const [setting, value] of [
      ['timm_model_name', 'vit_base_patch16_224'],
      ['attentional_pool', true],
    ] as const) {
      const path = await stored(({ model_cfg }) => Object.assign(model_cfg.vision_cfg, { [setting]: value }));
      expect((await refusalOf(() => load(path))).place).toBe(`model_cfg.vision_cfg.${setting}`);
    }
    await rm(folder('open_clip_config.json'));
    expect((await refusalOf(() => load(folder()))).place).toContain('open_clip_config.json');
  });
});

interface OpenClipConfig {
  readonly model_cfg: { quick_gelu?: boolean; vision_cfg: object };
}
