import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bytesIn } from './entry.js';

/** Folders that versions without entries kept things in, each in its own way. */
const OLDER = ['artifacts', 'boards', 'data/cifar-10-batches-bin', 'downloads', 'heads', 'hub', 'stages'];

/** Something that an older version left in the cache folder. */
export interface OlderFolder {
  readonly path: string;
  readonly bytes: number;
}

/**
 * What older versions left in a cache folder, by names that they gave. Nothing reads it any more; it is not removed either: where
 * EDGEFLEX_CACHE names a folder with other things in it, they may have such names, too.
 *
 * @param root - the cache folder
 */
export async function olderFolders(root: string): Promise<OlderFolder[]> {
  const found: OlderFolder[] = [];
  for (const name of OLDER) {
    const path = join(root, ...name.split('/'));
    if (existsSync(path)) found.push({ path, bytes: await bytesIn(path) });
  }
  return found;
}
