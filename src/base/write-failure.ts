import { tmpdir } from 'node:os';
import { foundBy, InputError, messageOf, ResourceError } from './errors.js';
import { cacheDirectory, isWithin, packageRoot } from './paths.js';

/** What the system has run out of, by the code of its error: no place is wrong, and no input. */
const exhausted: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is exceeded',
  EMFILE: 'too many files are open; "ulimit -n 1024" raises the limit',
  ENFILE: 'too many files are open on this machine',
  ENOMEM: 'there is not enough memory',
  EIO: 'the disk could not be read or written',
};

/** The place that was named is no good: codes that say so of something written. */
const unwritable = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG'];

/** What is said of a failed write besides the failure itself. */
export interface WriteAdvice {
  /** What has become of what was there, and how to go on when there is room: a sentence. */
  readonly kept: string;
  /** What other place may be named, where the place itself does not say it: a sentence. */
  readonly hint?: string;
}

const inCache: WriteAdvice = {
  kept: 'Free some space; the next run of the command continues from here.',
  hint: 'EDGEFLEX_CACHE can name another cache folder.',
};

/**
 * Says of a failed write what the user can do about it: a full disk is the machine's fault, a place that cannot be
 * written was badly chosen.
 *
 * @param path - what was written
 * @param error - what the file system said
 * @param advice - left out, that of the cache
 * @returns the error to throw: a ResourceError or an InputError; anything that is not the system's comes back as it is
 */
export function writeFailure(path: string, error: unknown, advice: WriteAdvice = inCache): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const spent = exhausted[code];
  if (spent !== undefined)
    return new ResourceError(`${path}: ${spent} (${messageOf(error)})\n${advice.kept}`, { cause: error });
  // Below /proc no folder can be made; that something is missing which is to be read is another matter.
  if (!unwritable.includes(code) && !(code === 'ENOENT' && isMkdir(error))) return error;
  return placeFault(path, error, 'a place that can be written', advice.hint);
}

/**
 * Puts an error of the operating system that nobody has explained into words, wherever it stands in a chain of causes.
 *
 * @param error - what was thrown
 * @returns undefined when it comes from elsewhere, or is about a file of EdgeFlex's own code
 */
export function systemFailure(error: unknown): InputError | ResourceError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code, path } = each as NodeJS.ErrnoException;
    if (code === undefined) continue;
    const spent = exhausted[code];
    if (spent !== undefined)
      return new ResourceError(path === undefined ? spent : `${path}: ${spent}`, { cause: each });
    if (path === undefined || isWithin(packageRoot(), path)) continue;
    if (unwritable.includes(code) || code === 'ENOENT')
      return placeFault(path, each, 'what can be read or written', hintFor(path));
  }
  return undefined;
}

/**
 * The code by which Node names an error: `ENOSPC`, `ECONNRESET`.
 *
 * @param error - anything that was thrown
 * @returns undefined when it has none
 */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function placeFault(source: string, error: unknown, expected: string, hint: string | undefined): InputError {
  const fault = { source, found: foundBy(error), expected };
  return new InputError(hint === undefined ? fault : { ...fault, hint });
}

/** Which variable names another place than the one that is no good. */
function hintFor(path: string): string | undefined {
  if (isInCache(path)) return 'It is in the cache: EDGEFLEX_CACHE can name another cache folder.';
  if (isWithin(tmpdir(), path)) return 'It is a temporary file: TMPDIR can name another folder for them.';
  return undefined;
}

function isInCache(path: string): boolean {
  try {
    return isWithin(cacheDirectory(), path);
  } catch {
    // A user without a home has no cache.
    return false;
  }
}

function isMkdir(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'mkdir';
}
