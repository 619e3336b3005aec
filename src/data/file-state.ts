import { stat } from 'node:fs/promises';
import { foundBy, InputError } from '../base/errors.js';

/**
 * What the file system says of a file: whether it is the one that was read before.
 *
 * @param path - of the file
 * @param expected - what it should be, for the message
 * @returns size, times of change, place on the disk
 * @throws InputError when it is not there
 */
export async function stateOf(path: string, expected: string): Promise<readonly number[]> {
  const { size, mtimeMs, ctimeMs, ino } = await stat(path).catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected });
  });
  return [size, mtimeMs, ctimeMs, ino];
}
