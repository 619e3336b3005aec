import { DeviceError, InputError, messageOf } from './errors.js';

/**
 * Says of a failed write what the user can do about it: a full disk is the machine's fault, a place that cannot be
 * written was badly chosen.
 *
 * @param path - what was written
 * @param error - what the file system said
 * @returns the error to throw; anything that is not about the disk or the permission comes back as it is
 */
export function writeFailure(path: string, error: unknown): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DeviceError(
        `${path}: the disk is full (${messageOf(error)})\nFree some space; the next call goes on from here.`,
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EEXIST':
      return placeFault(path, error);
    case 'ENOENT':
      // Below /proc no folder can be made; that something is missing which is to be read is another matter.
      return isMkdir(error) ? placeFault(path, error) : error;
    default:
      return error;
  }
}

function placeFault(path: string, error: unknown): InputError {
  return new InputError({
    source: path,
    found: messageOf(error),
    expected: 'a place that can be written',
    hint: 'EDGEFLEX_CACHE names another cache folder.',
  });
}

function isMkdir(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'mkdir';
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
