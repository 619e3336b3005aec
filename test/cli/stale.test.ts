import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { hashFile } from '../../src/base/hash.js';
import { exitCodes } from '../../src/cli/failure.js';
import { writeModel } from '../../src/onnx/file.js';
import { useFolder } from '../support/folder.js';
import { loadFolder } from '../support/load.js';
import { microDirectory } from '../support/micro.js';
import { exported } from '../vit/exporter.js';
import { edgeflex } from './support.js';

const folder = useFolder();
const model = (...names: string[]): string => folder('model', ...names);

/** Digests of what a model is compressed to. */
async function compressed(path: string, cache: string): Promise<string[]> {
  const { code, err } = await edgeflex(
    ['compress', path, '--recipe', 'suites/recipes/fp16.yaml', '-o', folder('out'), '--dataset', 'shapes10'],
    { EDGEFLEX_CACHE: folder(cache) },
  );
  expect(err).not.toContain('error');
  expect(code).toBe(exitCodes.fine);
  return Promise.all(
    ['model.onnx', 'model.onnx.data', 'preprocess.onnx'].map((name) => hashFile(folder('out', name))),
  );
}

/** Writes the built-in model as an exporter does, with weights in a file of another name than ours. */
async function writeExported(name: string, data: string): Promise<void> {
  const { vit } = await loadFolder(microDirectory);
  const graph = await exported(vit, {
    ...{ opset: 17, norm: 'operator', gelu: 'decomposed', linear: 'matmul', qkv: 'separate' },
    ...{ attention: 'div', tokensFirst: false, dynamic: true, normLast: false },
  });
  const written = `${name}.data`;
  if (data.length !== written.length) throw new Error(`${data} must be as long as ${written}`);
  await mkdir(model(), { recursive: true });
  await writeModel(graph, model(name));
  const bytes = (await readFile(model(name))).toString('latin1').replaceAll(written, data);
  await writeFile(model(name), Buffer.from(bytes, 'latin1'));
  await rename(model(written), model(data));
}

/** Changes the weights in a file: the same bytes but for the sign of one number near its end. */
async function changeWeights(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0x80, bytes.length - 1);
  await writeFile(path, bytes);
}

/** How the files change between two calls with one cache; gives what the two calls name. */
const cases: Readonly<
  Record<string, () => Promise<{ first: string; change: () => Promise<void>; second: string }>>
> = {
  'another ONNX file of the folder is named': async () => {
    await writeExported('one.onnx', 'weights_1.bin');
    await writeExported('two.onnx', 'weights_2.bin');
    await changeWeights(model('weights_2.bin'));
    return { first: model('one.onnx'), change: () => Promise.resolve(), second: model('two.onnx') };
  },
  'the weights beside an ONNX file change': async () => {
    await writeExported('one.onnx', 'weights_1.bin');
    const change = (): Promise<void> => changeWeights(model('weights_1.bin'));
    return { first: model('one.onnx'), change, second: model('one.onnx') };
  },
  'a preprocessor_config.json appears beside an ONNX file': async () => {
    await writeExported('one.onnx', 'weights_1.bin');
    const file = { image_mean: [0.4, 0.4, 0.4], image_std: [0.2, 0.2, 0.2], size: { height: 32, width: 32 } };
    const change = (): Promise<void> => writeFile(model('preprocessor_config.json'), JSON.stringify(file));
    return { first: model('one.onnx'), change, second: model('one.onnx') };
  },
  'another safetensors file of the folder is named': async () => {
    await cp(microDirectory, model(), { recursive: true });
    await rm(model('card.json'), { force: true });
    await cp(model('model.safetensors'), model('checkpoint-2000.safetensors'));
    await changeWeights(model('checkpoint-2000.safetensors'));
    return { first: model(), change: () => Promise.resolve(), second: model('checkpoint-2000.safetensors') };
  },
};

it.each(Object.entries(cases))(
  'what is compressed is what is named, and as it is now: %s',
  async (_, prepare) => {
    const { first, change, second } = await prepare();
    const before = await compressed(first, 'cache');
    await change();
    const after = await compressed(second, 'cache');
    expect(after).not.toEqual(before);
    expect(after).toEqual(await compressed(second, 'fresh cache'));
  },
);
