import { open } from 'node:fs/promises';
import { InputError } from '../../base/errors.js';
import { readRange } from '../../onnx/file.js';

/** A file within an archive, as its bytes lie there: stored, not compressed. */
export interface StoredEntry {
  readonly begin: number;
  readonly bytes: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/** An archive's list of files beyond this is refused before it is read. */
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;

/**
 * Where the files of a zip archive lie whose entries are stored as they are, as PyTorch writes them (PKWARE's APPNOTE 6.3.10, 4.3).
 * Libraries for archives give streams; tensors are read by range.
 *
 * @param path - the archive
 * @returns undefined when the file is no archive
 * @throws InputError when the archive is damaged, or an entry is compressed
 */
export async function storedEntries(path: string): Promise<Map<string, StoredEntry> | undefined> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  await handle.close();
  if (size < 4 || viewOf(await readRange(path, 0, 4)).getUint32(0, true) !== LOCAL) return undefined;
  const tailAt = Math.max(0, size - 0x10000 - 22);
  const tail = viewOf(await readRange(path, tailAt, size - tailAt));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) throw refuse('the end of the archive', 'no list of its files', 'a whole archive');
  let [count, bytes, begin] = [
    tail.getUint16(end + 10, true),
    tail.getUint32(end + 12, true),
    tail.getUint32(end + 16, true),
  ];
  if (count === 0xffff || bytes === 0xffffffff || begin === 0xffffffff) {
    const locator = end - 20;
    if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR_64)
      throw refuse('the end of the archive', 'no 64-bit list of its files', 'a whole archive');
    const at = Number(tail.getBigUint64(locator + 8, true));
    if (at + 56 > size)
      throw refuse('the end of the archive', `a place beyond its ${size} bytes`, 'a whole archive');
    const record = viewOf(await readRange(path, at, 56));
    if (record.getUint32(0, true) !== END_64)
      throw refuse('the end of the archive', 'no 64-bit list of its files', 'a whole archive');
    [count, bytes, begin] = [
      Number(record.getBigUint64(32, true)),
      Number(record.getBigUint64(40, true)),
      Number(record.getBigUint64(48, true)),
    ];
  }
  if (begin + bytes > size || bytes > MAX_DIRECTORY_BYTES || count * 46 > bytes)
    throw refuse(
      'the list of files',
      `${count} files in ${bytes} bytes at ${begin}`,
      `a list within its ${size} bytes`,
    );
  const directory = viewOf(await readRange(path, begin, bytes));
  const entries = new Map<string, StoredEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes || directory.getUint32(at, true) !== CENTRAL)
      throw refuse('the list of files', `something else as file ${index + 1} of ${count}`, 'a whole archive');
    const [nameBytes, extraBytes, commentBytes] = [
      directory.getUint16(at + 28, true),
      directory.getUint16(at + 30, true),
      directory.getUint16(at + 32, true),
    ];
    if (at + 46 + nameBytes + extraBytes + commentBytes > bytes)
      throw refuse('the list of files', `file ${index + 1} of ${count} beyond its end`, 'a whole archive');
    const name = new TextDecoder().decode(
      new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameBytes),
    );
    const extra = new DataView(directory.buffer, directory.byteOffset + at + 46 + nameBytes, extraBytes);
    const [stored, length, local] = sizesOf(directory, at, extra);
    if (directory.getUint16(at + 10, true) !== 0)
      throw refuse(name, 'a compressed file', 'files that are stored as they are, as PyTorch writes them');
    if (stored !== length || local + 30 + length > size)
      throw refuse(name, `${length} bytes at ${local}`, `a file within the archive's ${size} bytes`);
    if (entries.has(name)) throw refuse(name, 'a name that is there twice', 'one file of that name');
    const head = viewOf(await readRange(path, local, 30));
    const dataAt = local + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    if (head.getUint32(0, true) !== LOCAL || dataAt + length > size)
      throw refuse(name, `${length} bytes at ${local}`, `a file within the archive's ${size} bytes`);
    entries.set(name, { begin: dataAt, bytes: length });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/** Stored size, size and place of an entry; those that do not fit 32 bits are in its extra field of type 1. */
function sizesOf(directory: DataView, at: number, extra: DataView): [number, number, number] {
  const wide: number[] = [];
  for (let field = 0; field + 4 <= extra.byteLength;) {
    const [type, length] = [extra.getUint16(field, true), extra.getUint16(field + 2, true)];
    if (type === 1)
      for (let i = field + 4; i + 8 <= Math.min(extra.byteLength, field + 4 + length); i += 8)
        wide.push(Number(extra.getBigUint64(i, true)));
    field += 4 + length;
  }
  const real = (value: number): number => (value === 0xffffffff ? (wide.shift() ?? NaN) : value);
  const length = real(directory.getUint32(at + 24, true));
  const stored = real(directory.getUint32(at + 20, true));
  return [stored, length, real(directory.getUint32(at + 42, true))];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
