import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { foundBy, InputError } from '../base/errors.js';
import { isThere } from '../base/exchange.js';
import { isWithin, packageRoot } from '../base/paths.js';
import { readSurface, type OnnxSurface } from '../onnx/surface.js';
import { readJson } from '../vit/checkpoints/json.js';
import { shardsOf } from '../vit/checkpoints/shards.js';
import { isPickle } from '../vit/checkpoints/pickle.js';
import { chooseWeights, isShard } from './choose.js';
import { snapshotIn } from './hub-cache.js';
import { holdsImageProcessor } from './image-processor.js';

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
      /** What the graph shows from outside. */
      readonly surface: OnnxSurface;
    }
);

/** The files of an ONNX model. */
export type OnnxFiles = Extract<ModelFiles, { layout: 'onnx' }>;

/**
 * Finds the files of a model. The file that was named is the one that is read; in a folder it is the conventional one, or the
 * only one. Companions lie beside the weights; those of a file in a folder `onnx/` may lie in the folder around it, as in
 * repositories of the Hub. A repository in the cache of the Hub's own library is read at the commit that its `main` is.
 *
 * @param path - a folder, a `.safetensors` file, the index of its shards, an `.onnx` file, or what `torch.save` wrote
 * @throws InputError when there are no weights, or several that might be meant; or when an index is malformed
 */
export async function findFiles(path: string): Promise<ModelFiles> {
  if (!isThere(path))
    throw new InputError({
      ...{ source: path, found: 'no such file or folder', expected: 'a folder or a file with a model' },
      ...(isWithin(packageRoot(), path) && {
        hint: 'It is part of the source checkout of EdgeFlex, not of its package: choose another one with --model.',
      }),
    });
  if (!statSync(path).isDirectory()) return filesOf(path, []);
  const folder = (await snapshotIn(path)) ?? path;
  const choice = chooseWeights(folder, await namesIn(folder));
  if (choice !== undefined) return filesOf(join(folder, ...choice.name.split('/')), choice.others);
  throw new InputError({
    source: folder,
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
    const surface = await readSurface(weights);
    const data = surface.externalFiles.map((file): ModelFile => ({
      ...{ role: 'external data', path: join(dirname(weights), file), name: file },
    }));
    const { present, absent } = await companionsOf(weights);
    for (const { path, name: file } of data) requirePresent(path, weights, file);
    return { layout: 'onnx', surface, weights, notTaken, absent, files: [own, ...data, ...present] };
  }
  if (!/\.(safetensors|(safetensors|bin)\.index\.json)$/.test(name) && !isPickle(name))
    throw new InputError({
      source: weights,
      found: 'a file of another kind',
      expected:
        'a folder with a model, its .safetensors file, an .onnx file, or a .bin, .pt or .pth file of PyTorch',
    });
  const shards = name.endsWith('.json') ? await shardsOf(weights) : [];
  const { present, absent } = await companionsOf(weights);
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
    found: 'no such file',
    expected: `the file ${file}, which ${basename(weights)} names`,
  });
}

/** Companions beside the weights, or around the folder `onnx/` that they lie in. */
async function companionsOf(
  weights: string,
): Promise<{ readonly present: ModelFile[]; readonly absent: Companion[] }> {
  const beside = dirname(weights);
  const folders = basename(beside) === 'onnx' ? [beside, dirname(beside)] : [beside];
  const present: ModelFile[] = [];
  const absent: Companion[] = [];
  const openClip = basename(weights).startsWith('open_clip_');
  for (const [role, usual] of Object.entries(COMPANIONS) as [Companion, string][]) {
    // Repositories of open_clip often have Transformers' configuration of the same model, too.
    const name = role === 'config' && openClip ? 'open_clip_config.json' : usual;
    const places = role === 'preprocessor' ? await processorsIn(folders) : [];
    places.push(...folders.map((folder) => join(folder, name)));
    const path = places.find((each) => existsSync(each));
    if (path === undefined) absent.push(role);
    else present.push({ role, path, name: basename(path) });
  }
  return { present, absent };
}

/**
 * Files of processors of images and texts in which Transformers since version 5 writes down the image processor; it reads those before
 * any other. Older ones have nothing of images in them.
 */
async function processorsIn(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of folders.map((folder) => join(folder, 'processor_config.json')))
    if (existsSync(path) && holdsImageProcessor(await readJson(path, 'the configuration of a processor')))
      found.push(path);
  return found;
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
