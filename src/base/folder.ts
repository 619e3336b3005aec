import { existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf } from './write-failure.js';

/**
 * Makes a folder and those above it, as far as they are missing. Node's own recursive `mkdir` never ends below `/proc`, where the
 * system says of a new folder that the one above it is not there.
 *
 * @param path - of the folder
 * @throws the file system's error
 */
export function makeFolders(path: string): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.push(at);
  for (const each of missing.length > 0 ? missing.reverse() : [path])
    try {
      mkdirSync(each);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || !isFolder(each)) throw error;
    }
}

/**
 * Tries whether something can be written in a folder, or in the nearest one above that is there; nothing stays. Permissions alone
 * do not tell: below `/proc` root has all of them.
 *
 * @param path - of a folder that need not be there
 * @returns the folder that was tried
 * @throws the file system's error
 */
export async function probeWritable(path: string): Promise<string> {
  let nearest = resolve(path);
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  await rmdir(await mkdtemp(join(nearest, '.edgeflex-')));
  return nearest;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
