import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { foundBy, InputError } from '../../base/errors.js';
import { cacheKey } from '../../cache/key.js';
import { cache } from '../../cache/store.js';
import { classNamesIn, imagesIn, marksIn } from '../arrays/contents.js';
import { NpyError, readNpy, type NpyArray } from '../arrays/npy.js';
import { arrayNames, pairsIn, type ArrayPair } from '../arrays/roles.js';
import { filesInZip } from '../arrays/zip.js';
import type { ImagePlace } from '../images/item.js';
import { marksSchema } from '../marks.js';
import { eachSplit, type Collected, type OpenOptions, type Splits } from './collected.js';
import type { Declaration } from './declaration.js';
import { withClasses, type MarkedFile } from './marks.js';
import { stateOf } from '../file-state.js';
import { chosenSplits, splitNamed } from './splits.js';

/** Raised whenever the same file would give other images or marks. */
const UNPACK_VERSION = 2;

const IMAGES = 'images.bin';
const INDEX = 'index.json';

const indexSchema = z.object({
  count: z.number(),
  height: z.number(),
  width: z.number(),
  channels: z.number(),
  order: z.enum(['together', 'apart']),
  marks: marksSchema,
  names: z.array(z.string()).optional(),
});

/**
 * Whether a file is an archive of NumPy's arrays, by its name.
 *
 * @param path - of a file
 */
export function isArrays(path: string): boolean {
  return extname(path).toLowerCase() === '.npz';
}

/**
 * The images of archives that `numpy.savez` wrote: one with the arrays of both splits (`x_train`, `y_train`, `x_test`, `y_test`;
 * `train_images`, …), or a file for each (`train.npz`, `test.npz`, with `images` and `labels`). They are unpacked into the cache, once.
 *
 * @param declaration - where the files are
 * @param options - signal, and whether to unpack them again
 * @throws InputError with file and array for what is damaged or not understood; the signal's reason when it fires
 */
export async function collectArrays(declaration: Declaration, options: OpenOptions): Promise<Collected> {
  return withClasses(declaration, await markedSplits(declaration, options));
}

async function markedSplits(
  declaration: Declaration,
  options: OpenOptions,
): Promise<Splits<readonly MarkedFile[]>> {
  const { path, train, test } = declaration;
  const only = async (file: string): Promise<readonly MarkedFile[]> => {
    const pairs = await pairsOf(file, declaration);
    const [pair, another] = pairs.values();
    if (pair !== undefined && another === undefined)
      return [await unpacked(file, pair, declaration, options)];
    throw new InputError({
      source: file,
      place: 'arrays',
      found: `the splits ${[...pairs.keys()].join(', ')}`,
      expected: 'one split, in a file that is one itself',
    });
  };
  if (!isArrays(path)) {
    const files = new Map(
      (await archivesIn(path)).map((name) => [splitNamed(basename(name, extname(name))), join(path, name)]),
    );
    for (const name of [train, test])
      if (name !== undefined && isArrays(name)) files.set(name, join(path, name));
    const chosen = chosenSplits([...files.keys()], declaration);
    return eachSplit(chosen, (name) => only(files.get(name) ?? join(path, name)));
  }
  const pairs = await pairsOf(path, declaration);
  const whole = pairs.get('');
  if (whole !== undefined) return { kind: 'one', all: [await unpacked(path, whole, declaration, options)] };
  const chosen = chosenSplits([...pairs.keys()], declaration);
  return eachSplit(chosen, async (split) => {
    const pair = pairs.get(split);
    return pair === undefined ? [] : [await unpacked(path, pair, declaration, options)];
  });
}

async function archivesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new InputError({ source: folder, found: foundBy(error), expected: 'a folder of .npz files' });
  });
  return names.filter((name) => !name.startsWith('.') && isArrays(name)).sort();
}

async function pairsOf(path: string, declaration: Declaration): Promise<ReadonlyMap<string, ArrayPair>> {
  return pairsIn(path, await arrayNames(path), declaration);
}

async function unpacked(
  path: string,
  pair: ArrayPair,
  { name }: Declaration,
  { again = false, signal }: OpenOptions,
): Promise<MarkedFile> {
  const state = await stateOf(path, 'an archive of arrays');
  const key = cacheKey('images', { arrays: { path, state, pair }, version: UNPACK_VERSION });
  const title = `images of ${name} out of arrays`;
  const entry = await cache().make(key, { title, replace: again, signal }, (folder) =>
    unpack(path, pair, folder),
  );
  const index = indexSchema.parse(JSON.parse(await readFile(join(entry.files, INDEX), 'utf8')));
  const { count, height, width, channels, order, marks, names } = index;
  const at = (image: number): string => `${pair.images}[${image}]`;
  const size = height * width * channels;
  const places = Array.from({ length: count }, (_, image): ImagePlace => ({
    ...{ kind: 'pixels', path: join(entry.files, IMAGES), begin: image * size },
    ...{ height, width, channels, order, from: path, at: at(image) },
  }));
  return { source: path, places, marks, names, at };
}

async function unpack(path: string, pair: ArrayPair, folder: string): Promise<void> {
  const wanted = [pair.images, pair.labels, ...(pair.names === undefined ? [] : [pair.names])];
  const files = await filesInZip(path, (file) => wanted.includes(file.replace(/\.npy$/, '')));
  const read = <Found>(array: string, take: (array: NpyArray) => Found): Found => {
    try {
      const bytes = files.get(`${array}.npy`);
      if (bytes === undefined) throw new NpyError('no such array', `one of ${[...files.keys()].join(', ')}`);
      return take(readNpy(bytes));
    } catch (error) {
      if (!(error instanceof NpyError)) throw error;
      const { found, expected } = error;
      throw new InputError({ source: path, place: `array ${array}`, found, expected });
    }
  };
  const { pixels, ...shape } = read(pair.images, imagesIn);
  const marks = read(pair.labels, marksIn);
  const names = pair.names === undefined ? undefined : read(pair.names, classNamesIn);
  if (marks.values.length !== shape.count)
    throw new InputError({
      source: path,
      place: `array ${pair.labels}`,
      found: `${marks.values.length} labels`,
      expected: `${shape.count}, one for each image of ${pair.images}`,
    });
  await writeFile(join(folder, IMAGES), pixels);
  await writeFile(join(folder, INDEX), JSON.stringify({ ...shape, marks, names }));
}
