import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheKey } from '../../cache/key.js';
import { cache } from '../../cache/store.js';
import { stateOf } from '../file-state.js';
import type { ImagePlace } from '../images/item.js';
import { unpackApart } from '../parquet/process.js';
import { IMAGES, INDEX, indexSchema } from '../parquet/unpack.js';
import { eachSplit, ofAllSplits, type Collected, type OpenOptions } from './collected.js';
import type { Declaration } from './declaration.js';
import { withClasses, type MarkedFile } from './marks.js';
import { shardsOf } from './shards.js';

/** Raised whenever the same file would give other images or marks. */
const UNPACK_VERSION = 1;

/**
 * The images of Parquet files: those that Hugging Face's `datasets` writes (a struct of bytes and path, a `ClassLabel`), images as
 * bytes, or lists of paths with their classes. Images within a file are unpacked into the cache, once.
 *
 * @param declaration - where the files are
 * @param options - progress and signal
 * @throws InputError with the file, and the row or column, for what is damaged or not understood; the signal's reason when it fires
 */
export async function collectParquet(declaration: Declaration, options: OpenOptions): Promise<Collected> {
  const shards = await shardsOf(declaration);
  const count = ofAllSplits(shards).length;
  let done = 0;
  const marked = async (paths: readonly string[]): Promise<MarkedFile[]> => {
    const files: MarkedFile[] = [];
    for (const path of paths) {
      options.onProgress?.(done / count, `reading ${basename(path)}`);
      files.push(await unpacked(path, declaration, options));
      done += 1;
    }
    return files;
  };
  return withClasses(declaration, await eachSplit(shards, marked));
}

async function unpacked(
  path: string,
  { name, image, label }: Declaration,
  { again = false, signal }: OpenOptions,
): Promise<MarkedFile> {
  const state = await stateOf(path, 'a Parquet file');
  const key = cacheKey('images', { parquet: { path, state, image, label }, version: UNPACK_VERSION });
  const title = `images of ${name} out of Parquet`;
  const entry = await cache().make(key, { title, replace: again, signal }, (folder) =>
    unpackApart({ path, folder, image, label }, signal),
  );
  const index = indexSchema.parse(JSON.parse(await readFile(join(entry.files, INDEX), 'utf8')));
  const at = (row: number): string => `row ${row}`;
  let begin = 0;
  const places = index.images.map((bytes, row): ImagePlace => {
    if (typeof bytes === 'string') return { kind: 'file', path: bytes };
    const from = begin;
    begin += bytes;
    return { kind: 'coded', path: join(entry.files, IMAGES), begin: from, bytes, from: path, at: at(row) };
  });
  return { source: path, places, marks: index.marks, names: index.names, at };
}
