import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { foundBy, InputError } from '../../base/errors.js';

/**
 * A file of text in UTF-8: read as another encoding, names would be other names.
 *
 * @param path - the file
 * @param expected - what it should hold
 * @throws InputError when it cannot be read, or is not in UTF-8
 */
export async function textOf(path: string, expected: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected });
  });
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const begin = bytes.toString('hex', 0, 2);
  const utf16 = begin === 'feff' || begin === 'fffe';
  throw new InputError({
    source: path,
    found: utf16 ? 'text in UTF-16' : 'text that is not UTF-8',
    expected: `${expected} in UTF-8`,
  });
}
