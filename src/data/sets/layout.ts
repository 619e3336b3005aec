import { basename, extname } from 'node:path';
import { hasImageName } from '../images/format.js';
import { isArrays } from './arrays.js';
import { cifarAmong } from './cifar.js';
import type { Declaration } from './declaration.js';
import { isList } from './list.js';
import { isParquet } from './shards.js';
import { isSplit, splitNamed } from './splits.js';
import { filesBelow } from './walk.js';

/** How images lie on the disk. */
export type Layout = 'folder' | 'lists' | 'parquet' | 'arrays' | 'cifar';

/** Layouts that a file's name tells. */
const byName: readonly (readonly [Layout, (name: string) => boolean])[] = [
  ['lists', isList],
  ['parquet', isParquet],
  ['arrays', isArrays],
];

/** What tells a layout among the names of a folder; each is looked for everywhere before the next. */
const signs: readonly ((names: readonly string[]) => Layout | undefined)[] = [
  // The splits of a set are more than the pictures of its description beside them.
  (names) => (names.some((name) => isParquet(name) && hasSplitName(name)) ? 'parquet' : undefined),
  (names) => (names.some((name) => isArrays(name) && hasSplitName(name)) ? 'arrays' : undefined),
  (names) => (names.some(hasImageName) ? 'folder' : undefined),
  (names) => (names.some(isParquet) ? 'parquet' : undefined),
  (names) => (names.some(isArrays) ? 'arrays' : undefined),
];

/**
 * How the images of a set lie: as the files are called that are declared, or that lie below its folder. Lists among images are taken
 * only where they are named.
 *
 * @param declaration - of the set
 */
export async function layoutOf({ path, train, test }: Declaration): Promise<Layout> {
  for (const [layout, has] of byName)
    if ([path, train, test].some((name) => name !== undefined && has(name))) return layout;
  const folders: (readonly string[])[] = [];
  // Below a folder with images nothing else is looked for.
  for await (const each of filesBelow(path, (names) => names.some(hasImageName)))
    // Whoever reads images there says what is wrong with a folder.
    if (each.kind === 'read') folders.push(each.files);
  if (cifarAmong(folders[0] ?? []) !== undefined) return 'cifar';
  for (const sign of signs)
    for (const names of folders) {
      const layout = sign(names);
      if (layout !== undefined) return layout;
    }
  return 'folder';
}

function hasSplitName(name: string): boolean {
  return isSplit(splitNamed(basename(name, extname(name))));
}
