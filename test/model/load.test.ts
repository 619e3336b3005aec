import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
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
    expect(preprocessing).toMatchObject({ size: square(32), interpolation: 'linear', mean: [0.5, 0.5, 0.5] });
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

/** The built-in model with a first layer for so many channels of three. */
async function ofChannels(channels: 1 | 2, more: Record<string, string> = {}): Promise<string> {
  const tensors = new Map(await builtInTensors());
  const name = 'vit.embeddings.patch_embeddings.projection.weight';
  const { bytes } = tensors.get(name)!;
  const some = bytes.subarray(0, (channels * bytes.length) / 3);
  tensors.set(name, { dtype: 'F32', shape: [128, channels, 8, 8], bytes: some });
  return directoryOf({
    'config.json': await builtInConfig({ num_channels: channels }),
    'model.safetensors': safetensorsBytes(tensors),
    ...more,
  });
}

it.each([
  ['alone', {}],
  ['with means for three', { 'preprocessor_config.json': '{"size": 32, "image_mean": [0.1, 0.2, 0.3]}' }],
])('refuses a model of images with a number of channels that no image has, %s', async (_what, more) => {
  expect(await refusalOf(async () => load(await ofChannels(2, more)))).toMatchObject({
    ...{ place: 'the first layer', found: 'images with 2 channels' },
  });
});

it('takes a model of as many channels as the images have, whose mean is one number for all or one for each', async () => {
  const ofTwo = async (root: string): Promise<LoadedModel> =>
    loadModel(await modelHere({ kind: 'path', name: 'two', path: root }), labels, 2);
  const alike = await ofTwo(await ofChannels(2));
  expect(alike.preprocessing).toMatchObject({ channels: 2, mean: [0.5, 0.5], std: [0.5, 0.5] });
  expect(alike.preprocessing).not.toHaveProperty('grey');
  const each = JSON.stringify({ size: 32, image_mean: [0.1, 0.2] });
  expect((await ofTwo(await ofChannels(2, { 'preprocessor_config.json': each }))).preprocessing.mean).toEqual(
    [0.1, 0.2],
  );
  const three = JSON.stringify({ size: 32, image_mean: [0.1, 0.2, 0.3] });
  const root = await ofChannels(2, { 'preprocessor_config.json': three });
  expect(await refusalOf(() => ofTwo(root))).toMatchObject({
    ...{ source: join(root, 'preprocessor_config.json'), place: 'image_mean' },
  });
  expect(await refusalOf(async () => ofTwo(await ofChannels(1)))).toMatchObject({
    ...{ place: 'the first layer', found: 'images with 1 channel' },
  });
});

it('makes images grey for a model of one channel, whose mean must be one number', async () => {
  const alike = await load(
    await ofChannels(1, { 'preprocessor_config.json': '{"size": 32, "image_mean": 0.25}' }),
  );
  expect(alike.preprocessing).toMatchObject({ grey: true, mean: [0.25], std: [0.5] });
  expect(alike.record.notes.join()).toContain('grey');
  const three = JSON.stringify({ size: 32, image_mean: [0.1, 0.2, 0.3] });
  const root = await ofChannels(1, { 'preprocessor_config.json': three });
  expect(await refusalOf(() => load(root))).toMatchObject({
    ...{ source: join(root, 'preprocessor_config.json'), place: 'image_mean', found: '[0.1, 0.2, 0.3]' },
  });
});
