import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, modelHere, type LoadedModel } from '../../src/model/load.js';
import { loadFolder } from '../support/load.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { builtInConfig, builtInTensors, directoryOf, safetensorsBytes } from '../vit/checkpoint.js';

const { labels } = (await loadFolder(microDirectory)).vit.config;

async function load(path: string): Promise<LoadedModel> {
  return loadModel(await modelHere({ kind: 'path', name: 'm', path }), labels);
}

async function plain(files: Readonly<Record<string, string>> = {}): Promise<string> {
  return directoryOf({
    'config.json': await builtInConfig(),
    'model.safetensors': safetensorsBytes(await builtInTensors()),
    ...files,
  });
}

describe('a model without a preprocessor_config.json', () => {
  it('gets what Transformers does for a ViT, and says so', async () => {
    const { preprocessing, record } = await load(await plain());
    expect(preprocessing).toMatchObject({ size: 32, interpolation: 'linear', mean: [0.5, 0.5, 0.5] });
    expect(record.notes.join()).toContain('preprocessor_config.json');
  });

  it('is refused when the file is there and is for images of another size', async () => {
    const root = await plain({ 'preprocessor_config.json': '{"size": 64}' });
    expect(await refusalOf(() => load(root))).toMatchObject({ place: 'size', found: '64' });
  });
});

describe('a card', () => {
  it('that is no JSON is refused by its name', async () => {
    const root = await plain({ 'card.json': '{"dataset": cifar10}' });
    expect((await refusalOf(() => load(root))).source).toBe(join(root, 'card.json'));
  });

  it('of another form makes no claim', async () => {
    const root = await plain({ 'card.json': '{"license": "mit"}' });
    expect((await load(root)).card).toBeUndefined();
    const claim = { dataset: 'shapes10', split: 'test', images: 10, correct: 9, framework: 'x' };
    await writeFile(join(root, 'card.json'), JSON.stringify(claim));
    expect((await load(root)).card).toEqual(claim);
  });
});

it('refuses a model of images with another number of channels', async () => {
  const tensors = new Map(await builtInTensors());
  const name = 'vit.embeddings.patch_embeddings.projection.weight';
  const { bytes } = tensors.get(name)!;
  tensors.set(name, { dtype: 'F32', shape: [128, 1, 8, 8], bytes: bytes.subarray(0, bytes.length / 3) });
  const root = await directoryOf({
    'config.json': await builtInConfig({ num_channels: 1 }),
    'model.safetensors': safetensorsBytes(tensors),
  });
  expect(await refusalOf(() => load(root))).toMatchObject({ found: 'images of 1 channel' });
});
