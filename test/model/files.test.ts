import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import type { Preprocessing } from '../../src/data/preprocess.js';
import { digestsOf, identityOf } from '../../src/model/identity.js';
import { fileOf, findFiles } from '../../src/model/files.js';
import { readPreprocessing } from '../../src/model/image-processor.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { writeModel } from '../../src/onnx/file.js';
import { useFolder } from '../support/folder.js';
import { loadFolder } from '../support/load.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { builtInConfig, builtInTensors, safetensorsBytes, type RawTensor } from '../vit/checkpoint.js';

const folder = useFolder();
let weights: Buffer;
let others: Buffer;
beforeAll(async () => {
  const tensors = await builtInTensors();
  weights = safetensorsBytes(tensors);
  others = safetensorsBytes(new Map([...tensors].map(([name, tensor]) => [name, negated(tensor)])));
});

function negated(tensor: RawTensor): RawTensor {
  const floats = new Float32Array(Uint8Array.from(tensor.bytes).buffer);
  return { ...tensor, bytes: new Uint8Array(floats.map((value) => -value).buffer) };
}

async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = folder('model');
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

async function labels(): Promise<string[]> {
  return [...(await loadFolder(microDirectory)).vit.config.labels];
}

async function firstWeight(path: string): Promise<Uint8Array> {
  const model = await loadModel(await modelHere({ kind: 'path', name: 'm', path }), await labels());
  return model.vit.weights.get('head.bias')!.read();
}

async function identity(path: string): Promise<string> {
  return identityOf(await digestsOf(await findFiles(path)));
}

describe('the file that is read', () => {
  it('is the one that was named, also beside model.safetensors', async () => {
    const root = await put({
      'config.json': await builtInConfig(),
      'model.safetensors': weights,
      'ema.safetensors': others,
    });
    const [named, conventional] = [await firstWeight(join(root, 'ema.safetensors')), await firstWeight(root)];
    expect(named).not.toEqual(conventional);
    expect(await firstWeight(join(root, 'model.safetensors'))).toEqual(conventional);
    expect((await findFiles(join(root, 'ema.safetensors'))).notTaken).toEqual([]);
  });

  it('is the conventional one of a folder, which says what it did not take', async () => {
    const root = await put({ 'model.safetensors': weights, 'ema.safetensors': others, 'model.onnx': '' });
    const { weights: taken, notTaken } = await findFiles(root);
    expect(taken).toBe(join(root, 'model.safetensors'));
    expect(notTaken).toEqual(['ema.safetensors', 'model.onnx']);
    await writeFile(join(root, 'config.json'), await builtInConfig());
    const { record } = await loadModel(
      await modelHere({ kind: 'path', name: 'm', path: root }),
      await labels(),
    );
    expect(record.notes.join()).toContain('ema.safetensors');
  });

  it.each([
    [['one.safetensors', 'two.safetensors']],
    [['one.onnx', 'two.onnx']],
    [['a.onnx', 'b.safetensors']],
  ])('is not guessed among %j', async (names) => {
    const root = await put(Object.fromEntries(names.map((name) => [name, 'x'])));
    const { found, source } = await refusalOf(() => findFiles(root));
    expect(source).toBe(root);
    for (const name of names) expect(found).toContain(name);
  });

  it('may be the only one, under any name; tests beside it are no candidates', async () => {
    const root = await put({ 'best.safetensors': weights, 'parity.safetensors': 'x' });
    expect((await findFiles(root)).weights).toBe(join(root, 'best.safetensors'));
  });

  it.each([
    ['model-00001-of-00002.safetensors', 'one shard'],
    ['model.txt', 'a file of another kind'],
  ])('is not %s', async (name, found) => {
    const root = await put({ [name]: 'x' });
    expect((await refusalOf(() => findFiles(join(root, name)))).found).toContain(found);
  });

  it('may lie in onnx/, its companions around it', async () => {
    const { vit } = await loadFolder(microDirectory);
    const root = await put({
      'config.json': await builtInConfig(),
      'preprocessor_config.json': await readFile(join(microDirectory, 'preprocessor_config.json')),
      'onnx/model_fp16.onnx': 'x',
    });
    await writeModel(buildGraph(vit), join(root, 'onnx', 'model.onnx'));
    for (const path of [root, join(root, 'onnx', 'model.onnx')]) {
      const files = await findFiles(path);
      expect(files.weights).toBe(join(root, 'onnx', 'model.onnx'));
      expect(fileOf(files, 'preprocessor')).toBe(join(root, 'preprocessor_config.json'));
      expect(fileOf(files, 'config')).toBe(join(root, 'config.json'));
      expect(files.absent).toEqual(['card']);
    }
  });

  it('has its image processor within a processor_config.json where Transformers wrote one, and not where an older one did', async () => {
    const inner = { image_processor_type: 'CLIPImageProcessor', size: { shortest_edge: 48 }, crop_size: 32 };
    const root = await put({
      'model.safetensors': 'x',
      'preprocessor_config.json': '{"size": 64}',
      'processor_config.json': '{"processor_class": "CLIPProcessor"}',
    });
    const read = async (): Promise<Preprocessing> =>
      readPreprocessing(fileOf(await findFiles(root), 'preprocessor')!);
    expect((await read()).size).toEqual(square(64));
    await writeFile(join(root, 'processor_config.json'), JSON.stringify({ image_processor: inner }));
    expect(await read()).toMatchObject({ size: square(32), resizedTo: square(48), fit: 'shortest' });
    const strange = JSON.stringify({ image_processor: { ...inner, do_pad: true } });
    await writeFile(join(root, 'processor_config.json'), strange);
    expect(await refusalOf(read)).toMatchObject({
      ...{ source: join(root, 'processor_config.json'), place: 'image_processor.do_pad' },
    });
    await writeFile(join(root, 'processor_config.json'), '{');
    expect((await refusalOf(read)).source).toBe(join(root, 'processor_config.json'));
  });

  it('may lie in the cache of the Hub, as links to what was fetched, at the commit that main is', async () => {
    const root = await put({
      'blobs/one': weights,
      'blobs/two': others,
      'refs/main': 'bbb\n',
      'snapshots/aaa/config.json': await builtInConfig(),
      'snapshots/bbb/config.json': await builtInConfig(),
    });
    for (const [commit, blob] of [
      ['aaa', 'one'],
      ['bbb', 'two'],
    ] as const)
      await symlink(`../../blobs/${blob}`, join(root, 'snapshots', commit, 'model.safetensors'));
    expect((await findFiles(root)).weights).toBe(join(root, 'snapshots', 'bbb', 'model.safetensors'));
    expect(await identity(root)).toBe(await identity(join(root, 'snapshots', 'bbb')));
    await rm(join(root, 'refs', 'main'));
    const { place, found } = await refusalOf(() => findFiles(root));
    expect(place).toBe('snapshots');
    expect(found).toContain('aaa, bbb');
    await rm(join(root, 'snapshots', 'bbb'), { recursive: true });
    expect((await findFiles(root)).weights).toBe(join(root, 'snapshots', 'aaa', 'model.safetensors'));
  });

  it('must have what it names beside it', async () => {
    const root = await put({
      'model.safetensors.index.json': JSON.stringify({ weight_map: { x: 'model-1-of-1.safetensors' } }),
    });
    const { source } = await refusalOf(() => findFiles(root));
    expect(source).toBe(join(root, 'model-1-of-1.safetensors'));
  });
});

describe("a model's identity", () => {
  it('changes with each file that is read, and with one that appears; not with the card or where it lies', async () => {
    const root = await put({ 'config.json': await builtInConfig(), 'model.safetensors': weights });
    const seen = new Set([await identity(root)]);
    const changes: Record<string, string | Uint8Array> = {
      'model.safetensors': others,
      'config.json': await builtInConfig({ layer_norm_eps: 1e-5 }),
      'preprocessor_config.json': '{}',
    };
    for (const [name, content] of Object.entries(changes)) {
      await writeFile(join(root, name), content);
      seen.add(await identity(root));
    }
    expect(seen.size).toBe(4);
    const last = await identity(root);
    await writeFile(join(root, 'card.json'), '{}');
    await writeFile(join(root, 'notes.safetensors'), weights);
    expect(await identity(root)).toBe(last);
  });

  it('of an ONNX file holds the external data that the graph names, whatever it is called', async () => {
    const { vit } = await loadFolder(microDirectory);
    const root = await put({});
    await mkdir(root, { recursive: true });
    const { path, dataPath } = await writeModel(buildGraph(vit), join(root, 'epoch.onnx'));
    const bytes = await readFile(path);
    const renamed = Buffer.from(
      bytes.toString('latin1').replaceAll('epoch.onnx.data', 'weights_01.bins'),
      'latin1',
    );
    await writeFile(join(root, 'other.onnx'), renamed);
    await writeFile(join(root, 'weights_01.bins'), await readFile(dataPath!));
    const before = await identity(join(root, 'other.onnx'));
    const changed = await readFile(dataPath!);
    changed[100]! ^= 1;
    await writeFile(join(root, 'weights_01.bins'), changed);
    expect(await identity(join(root, 'other.onnx'))).not.toBe(before);
    expect(await identity(path)).not.toBe(before);
  });

  it('lists what was looked for and is not there', async () => {
    const root = await put({ 'config.json': await builtInConfig(), 'model.safetensors': weights });
    expect(await digestsOf(await findFiles(root), (path) => Promise.resolve(path))).toEqual([
      { role: 'weights', sha256: join(root, 'model.safetensors') },
      { role: 'config', sha256: join(root, 'config.json') },
      { role: 'preprocessor', sha256: null },
    ]);
  });
});
