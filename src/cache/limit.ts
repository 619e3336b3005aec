import { InputError } from '../base/errors.js';
import { readBytes } from '../base/quantities.js';

/** A suite of eight variants of a ViT-Huge takes as much. */
const DEFAULT_BYTES = 20 * 2 ** 30;

/**
 * How many bytes the cache may take: `EDGEFLEX_CACHE_LIMIT`, such as `8GiB`, or 20 GiB.
 *
 * @throws InputError when the variable is no size
 */
export function limitBytes(): number {
  const text = process.env['EDGEFLEX_CACHE_LIMIT'];
  if (text === undefined || text === '') return DEFAULT_BYTES;
  const bytes = readBytes(text, true);
  if (bytes !== undefined) return bytes;
  throw new InputError({
    source: 'EDGEFLEX_CACHE_LIMIT',
    found: `"${text}"`,
    expected: 'a size such as 8GiB, 500MB or 0',
  });
}
