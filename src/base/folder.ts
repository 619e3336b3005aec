import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
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

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
