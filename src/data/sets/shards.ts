import { basename, dirname, extname, join } from 'node:path';
import { foundBy, InputError } from '../../base/errors.js';
import { byCodePoints, eachSplit, type Splits } from './collected.js';
import type { Declaration } from './declaration.js';
import { listed } from './marks.js';
import { chosenSplits, splitNamed } from './splits.js';
import { filesBelow } from './walk.js';

/**
 * Whether a file is a Parquet file, by its name.
 *
 * @param path - of a file
 */
export function isParquet(path: string): boolean {
  return extname(path).toLowerCase() === '.parquet';
}

/** A file and what its name says: `train-00000-of-00002.parquet`, `train/0000.parquet`, `train.parquet`. */
interface Shard {
  readonly path: string;
  readonly split: string;
  readonly of: { readonly index: number; readonly total: number } | undefined;
}

/**
 * Which Parquet files hold which split: those that are declared, or by the names that Hugging Face's `datasets` and its Hub give them.
 *
 * @param declaration - of the set
 * @returns the files of each split, in order
 * @throws InputError when a split has no file, or lacks some of its files, or has them in several folders
 */
export async function shardsOf(declaration: Declaration): Promise<Splits<readonly string[]>> {
  const { path, train, test, source } = declaration;
  if (isParquet(path)) {
    if (train === undefined && test === undefined) return { kind: 'one', all: [path] };
    throw new InputError({
      source,
      place: 'path',
      found: `the file ${path}, and train or test`,
      expected: 'one file with holdout; or as path the folder in which the splits lie',
    });
  }
  const splits = new Map<string, Shard[]>();
  for (const shard of await shardsBelow(path)) {
    const known = splits.get(shard.split);
    if (known) known.push(shard);
    else splits.set(shard.split, [shard]);
  }
  // A file that is named is a split of its own.
  const named = [train, test].filter((name) => name !== undefined).filter(isParquet);
  const chosen = chosenSplits([...splits.keys(), ...named], declaration);
  return eachSplit(chosen, (name) =>
    isParquet(name) ? [join(path, name)] : whole(path, name, splits.get(name) ?? []),
  );
}

/** All Parquet files below a folder. */
async function shardsBelow(path: string): Promise<Shard[]> {
  const found: Shard[] = [];
  for await (const each of filesBelow(path)) {
    if (each.kind === 'unreadable')
      throw new InputError({
        source: each.folder,
        found: foundBy(each.error),
        expected: 'a folder of Parquet files',
      });
    found.push(...each.files.filter(isParquet).map((name) => shardNamed(join(each.folder, name))));
  }
  return found;
}

function shardNamed(path: string): Shard {
  const name = basename(path, extname(path));
  const numbered = /^(.+?)[-_.](\d{5,})-of-(\d{5,})(?:-[0-9a-f]+)?$/.exec(name);
  if (numbered !== null) {
    const [, split = '', index, total] = numbered;
    return { path, split: splitNamed(split), of: { index: Number(index), total: Number(total) } };
  }
  // The Hub's own conversion: a folder for each split.
  const split = /^\d+$/.test(name) ? basename(dirname(path)) : name;
  return { path, split: splitNamed(split), of: undefined };
}

/** The files of a split in their order, when they are all there. */
function whole(path: string, split: string, shards: readonly Shard[]): readonly string[] {
  const folders = [...new Set(shards.map((shard) => dirname(shard.path)))];
  if (folders.length > 1)
    throw new InputError({
      source: path,
      place: `the split ${split}`,
      found: `files in ${listed(folders)}`,
      expected: 'one folder: they are several sets, of which path names one',
    });
  const total = shards[0]?.of?.total;
  const present = new Set(shards.map(({ of }) => of?.index));
  const missing = Array.from({ length: Math.min(total ?? 0, 100_000) }, (_, index) => index).find(
    (index) => !present.has(index),
  );
  if (missing !== undefined || shards.some(({ of }) => of?.total !== total))
    throw new InputError({
      source: folders[0] ?? path,
      place: `the split ${split}`,
      found:
        missing === undefined
          ? `files of several sets: ${listed(shards.map((shard) => basename(shard.path)))}`
          : `${shards.length} of its ${total ?? 0} files, without number ${missing}`,
      expected: 'all files of one split',
    });
  return [...shards]
    .sort((a, b) => (a.of?.index ?? 0) - (b.of?.index ?? 0) || byCodePoints(a.path, b.path))
    .map((shard) => shard.path);
}
