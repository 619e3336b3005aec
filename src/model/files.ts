import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { foundBy, InputError } from '../base/errors.js';
import { isThere } from '../base/exchange.js';
import { readModel } from '../onnx/file.js';
import type { OnnxModel } from '../onnx/model.js';
import { shardsOf } from '../vit/checkpoints/shards.js';
import { isPickle } from '../vit/checkpoints/pickle.js';
import { chooseWeights, isShard } from './choose.js';

/** What a file of a model is read as. */
export type FileRole = 'weights' | 'shard' | 'external data' | Companion;

/** A file that says what weights do not, and may be missing. */
export type Companion = 'config' | 'preprocessor' | 'card';

/** What companions are called. */
const COMPANIONS: Readonly<Record<Companion, string>> = {
  config: 'config.json',
  preprocessor: 'preprocessor_config.json',
  card: 'card.json',
};

/** A file that is read. */
export interface ModelFile {
  readonly role: FileRole;
  readonly path: string;
  /** What others call it by: the name in a shard index or in a graph, or its own. */
  readonly name: string;
}

/** The files of a model on this machine, found before any of them is read (but indexes, which name others). */
export type ModelFiles = {
  /** The file that was named, or the one of the folder that was taken; with a shard index, that. */
  readonly weights: string;
  /** All that is read, the weights first. */
  readonly files: readonly ModelFile[];
  /** Companions that were looked for and are not there. */
  readonly absent: readonly Companion[];
  /** Files in the folder that might have been meant instead; none where a file was named. */
  readonly notTaken: readonly string[];
} & (
  | { readonly layout: 'checkpoint' }
  | {
      readonly layout: 'onnx';
      /** The graph; its tensors are read when they are needed. */
      readonly graph: OnnxModel;
    }
);

/**
 * Finds the files of a model. The file that was named is the one that is read; in a folder it is the conventional one, or the
 * only one. Companions lie beside the weights; those of a file in a folder `onnx/` may lie in the folder around it, as in
 * repositories of the Hub.
 *
 * @param path - a folder, a `.safetensors` file, the index of its shards, an `.onnx` file, or what `torch.save` wrote
 * @throws InputError when there are no weights, or several that might be meant; or when an index is malformed
 */
export async function findFiles(path: string): Promise<ModelFiles> {
  if (!isThere(path))
    throw new InputError({ source: path, found: 'nothing', expected: 'a folder or a file with a model' });
  if (!statSync(path).isDirectory()) return filesOf(path, []);
  const choice = chooseWeights(path, await namesIn(path));
  if (choice !== undefined) return filesOf(join(path, ...choice.name.split('/')), choice.others);
  throw new InputError({
    source: path,
    found: 'no weights',
    expected: 'a folder with model.safetensors or model.onnx',
  });
}

/**
 * The file of a role.
 *
 * @returns its path; undefined when it is not there
 */
export function fileOf({ files }: ModelFiles, role: Companion): string | undefined {
  return files.find((file) => file.role === role)?.path;
}

async function filesOf(weights: string, notTaken: readonly string[]): Promise<ModelFiles> {
  const name = basename(weights);
  if (isShard(name))
    throw new InputError({
      source: weights,
      found: 'one shard of a model',
      expected: 'its index (model.safetensors.index.json), or the folder with it',
    });
  const own: ModelFile = { role: 'weights', path: weights, name };
  if (name.endsWith('.onnx')) {
    const graph = await readModel(weights);
    const data = (graph.externalFiles ?? []).map((file): ModelFile => ({
      ...{ role: 'external data', path: join(dirname(weights), file), name: file },
    }));
    const { present, absent } = companionsOf(weights);
    for (const { path, name: file } of data) requirePresent(path, weights, file);
    return { layout: 'onnx', graph, weights, notTaken, absent, files: [own, ...data, ...present] };
  }
  if (!/\.safetensors(\.index\.json)?$/.test(name) && !isPickle(name))
    throw new InputError({
      source: weights,
      found: 'a file of another kind',
      expected:
        'a folder with a model, its .safetensors file, an .onnx file, or a .bin, .pt or .pth file of PyTorch',
    });
  const shards = name.endsWith('.json') ? await shardsOf(weights) : [];
  const { present, absent } = companionsOf(weights);
  const parts = shards.map((file): ModelFile => ({
    ...{ role: 'shard', path: join(dirname(weights), file), name: file },
  }));
  for (const { path, name: file } of parts) requirePresent(path, weights, file);
  return { layout: 'checkpoint', weights, notTaken, absent, files: [own, ...parts, ...present] };
}

/** Refuses a model that names a file which is not there. */
function requirePresent(path: string, weights: string, file: string): void {
  if (existsSync(path)) return;
  throw new InputError({
    source: path,
    found: 'nothing',
    expected: `the file ${file}, which ${basename(weights)} names`,
  });
}

/** Companions beside the weights, or around the folder `onnx/` that they lie in. */
function companionsOf(weights: string): { readonly present: ModelFile[]; readonly absent: Companion[] } {
  const beside = dirname(weights);
  const folders = basename(beside) === 'onnx' ? [beside, dirname(beside)] : [beside];
  const present: ModelFile[] = [];
  const absent: Companion[] = [];
  for (const [role, name] of Object.entries(COMPANIONS) as [Companion, string][]) {
    const path = folders.map((folder) => join(folder, name)).find((each) => existsSync(each));
    if (path === undefined) absent.push(role);
    else present.push({ role, path, name });
  }
  return { present, absent };
}

/** The files of a folder and of `onnx/` in it, sorted. */
async function namesIn(folder: string): Promise<string[]> {
  const list = async (directory: string): Promise<string[]> => {
    try {
      const names = await readdir(directory);
      return names.sort().map((name) => relative(folder, join(directory, name)).replaceAll('\\', '/'));
    } catch (error) {
      throw new InputError({ source: directory, found: foundBy(error), expected: 'a folder with a model' });
    }
  };
  const inner = join(folder, 'onnx');
  const deeper = existsSync(inner) && statSync(inner).isDirectory() ? await list(inner) : [];
  return [...(await list(folder)), ...deeper];
}
