import { stat } from 'node:fs/promises';
import yauzl from 'yauzl';
import { InputError, messageOf } from '../../base/errors.js';
import { readRange } from '../../base/read-range.js';

/** A file within an archive, as its bytes lie there: stored, not compressed. */
export interface StoredEntry {
  readonly begin: number;
  readonly bytes: number;
}

/** With it a zip archive begins whose first entry is a file. */
const LOCAL = 0x04034b50;

/** More files than this are refused: the largest models have some thousand tensors. */
const MAX_FILES = 100_000;

/**
 * Where the files of a zip archive lie whose entries are stored as they are, as PyTorch writes them: tensors are read by range.
 *
 * @param path - the archive
 * @returns undefined when the file is no archive
 * @throws InputError when the archive is damaged, or an entry is compressed
 */
export async function storedEntries(path: string): Promise<Map<string, StoredEntry> | undefined> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const { size } = await stat(path);
  if (size < 4) return undefined;
  const beginning = await readRange(path, 0, 4);
  if (new DataView(beginning.buffer, beginning.byteOffset).getUint32(0, true) !== LOCAL) return undefined;
  const entries = new Map<string, StoredEntry>();
  const reader = new RangeReader(path);
  try {
    const archive = await yauzl.fromRandomAccessReaderPromise(reader, size, { autoClose: false });
    const { entryCount: count } = archive;
    if (count > MAX_FILES) throw refuse('the list of files', `${count} files`, `at most ${MAX_FILES}`);
    for await (const entry of archive.eachEntry()) {
      const { fileName: name, compressionMethod, compressedSize, uncompressedSize: bytes } = entry;
      if (compressionMethod !== 0)
        throw refuse(name, 'a compressed file', 'files that are stored as they are, as PyTorch writes them');
      if (entries.has(name)) throw refuse(name, 'a name that is there twice', 'one file of that name');
      const { fileDataStart: begin } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
      if (compressedSize !== bytes || begin + bytes > size)
        throw refuse(name, `${bytes} bytes at ${begin}`, `a file within the archive's ${size} bytes`);
      entries.set(name, { begin, bytes });
    }
  } catch (error) {
    throw error instanceof InputError ? error : refuse('the archive', messageOf(error), 'a whole archive');
  }
  return entries;
}

/** Reads an archive by ranges that lie within it: what yauzl is told of them comes from the archive, and may be beyond any number. */
class RangeReader extends yauzl.RandomAccessReader {
  constructor(private readonly path: string) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    readRange(this.path, position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null, length);
      },
      (error: unknown) => {
        callback(new Error(messageOf(error)));
      },
    );
  }
}
