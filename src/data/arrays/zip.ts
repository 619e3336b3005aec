import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';
import { InputError, messageOf } from '../../base/errors.js';

/** What is read of an archive fits into memory with all that is made of it. */
const MAX_BYTES = 2 * 2 ** 30;

/** More files than this are no archive of arrays. */
const MAX_FILES = 10_000;

/**
 * The files of a zip archive that are asked for, unpacked.
 *
 * @param path - the archive
 * @param wanted - by name; left out, all
 * @throws InputError when it is damaged, or holds too much
 */
export async function filesInZip(
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<Map<string, Buffer>> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const files = new Map<string, Buffer>();
  try {
    const archive = await yauzl.openPromise(path, { autoClose: false });
    try {
      if (archive.entryCount > MAX_FILES)
        throw refuse('the list of files', `${archive.entryCount} files`, `at most ${MAX_FILES}`);
      let left = MAX_BYTES;
      for await (const entry of archive.eachEntry()) {
        if (!wanted(entry.fileName)) continue;
        left -= entry.uncompressedSize;
        if (left < 0) throw refuse(entry.fileName, 'too many bytes', `at most ${MAX_BYTES} unpacked`);
        // yauzl refuses what unpacks to another size than its entry says.
        files.set(entry.fileName, await buffer(await archive.openReadStreamPromise(entry)));
      }
    } finally {
      archive.close();
    }
  } catch (error) {
    throw error instanceof InputError
      ? error
      : refuse('the archive', messageOf(error), 'a whole zip archive');
  }
  return files;
}
