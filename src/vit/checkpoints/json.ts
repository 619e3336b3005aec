import { readFile, stat } from 'node:fs/promises';
import { foundBy, InputError } from '../../base/errors.js';

/** More than any configuration has, and than an index of the largest model's shards. */
const MAX_BYTES = 64 * 2 ** 20;

/**
 * Reads a JSON file beside a checkpoint.
 *
 * @param path - the file
 * @param expected - what it should be, for the message
 * @throws InputError when it cannot be read, is not JSON, or is far larger than such a file can be
 */
export async function readJson(path: string, expected: string): Promise<unknown> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES)
      throw new InputError({
        source: path,
        found: `${size} bytes`,
        expected: `${expected} of at most ${MAX_BYTES}`,
      });
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof InputError) throw error;
    const place = error instanceof SyntaxError ? { place: 'the whole file' } : {};
    throw new InputError({ source: path, ...place, found: foundBy(error), expected });
  }
}
