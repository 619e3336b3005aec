import { open } from 'node:fs/promises';
import { foundBy, InputError } from './errors.js';

/**
 * Reads a range of a file.
 *
 * @param path - the file
 * @param offset - first byte
 * @param length - how many bytes
 * @throws InputError when the file cannot be opened or is shorter than the range
 */
export async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected: 'a file that can be read' });
  });
  const endsAt = (end: number): InputError =>
    new InputError({
      source: path,
      place: `byte ${end}`,
      found: 'the end of the file',
      expected: `${offset + length - end} more bytes`,
    });
  try {
    // Before the memory is asked for: a header may claim any length.
    const { size } = await file.stat();
    if (size < offset + length) throw endsAt(Math.max(offset, size));
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 1 << 30), offset + done);
      if (bytesRead === 0) throw endsAt(offset + done);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
