import { tmpdir } from 'node:os';
import { relative, isAbsolute } from 'node:path';
import { foundBy, messageOf } from '../base/errors.js';
import { cacheDirectory, packageRoot } from '../base/paths.js';

/** What the operating system would not do. `exhausted`: it has run out of something. `refused`: the place that was named is no good. */
export interface SystemFailure {
  readonly kind: 'exhausted' | 'refused';
  readonly message: string;
}

const exhausted: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many files are open; "ulimit -n 1024" raises the limit',
  ENFILE: 'too many files are open on this machine',
  ENOMEM: 'there is not enough memory',
  EIO: 'the disk could not be read or written',
};

const refused = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'];

/**
 * Puts an error of the operating system into words, wherever it stands in a chain of causes.
 *
 * @param error - what was thrown
 * @returns undefined when it comes from elsewhere, or is about a file of EdgeFlex's own code
 */
export function systemFailure(error: unknown): SystemFailure | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, path } = each as NodeJS.ErrnoException;
    if (code === undefined) continue;
    const where = path === undefined ? '' : `${path}: `;
    const spent = exhausted[code];
    if (spent !== undefined) return { kind: 'exhausted', message: `${where}${spent}` };
    if (refused.includes(code) && path !== undefined && !isWithin(packageRoot(), path))
      return {
        kind: 'refused',
        message: `${path}: found ${foundBy(each)} (${messageOf(each)})${hintFor(path)}`,
      };
  }
  return undefined;
}

function hintFor(path: string): string {
  if (isWithin(cacheDirectory(), path))
    return '\nIt lies in the cache: name a folder that can be written with EDGEFLEX_CACHE.';
  if (isWithin(tmpdir(), path))
    return '\nIt lies among the temporary files: name a folder that is there and can be written with TMPDIR.';
  return '';
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !way.startsWith('..') && !isAbsolute(way);
}
