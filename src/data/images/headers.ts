import { crc32 } from 'node:zlib';

/** Tags of a TIFF's first directory (TIFF 6.0, section 8). */
export const TIFF_TAGS = { compression: 259, photometric: 262 } as const;

const TIFF_ENTRY = 12;
const TIFF_SHORT = 3;

/**
 * A number of 16 bits that stands in the first directory of a TIFF.
 *
 * @param bytes - the file
 * @param tag - which one
 * @returns undefined where there is none, or the file ends before it
 */
export function tiffTag(bytes: Uint8Array, tag: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const short = (at: number): number | undefined =>
    at + 2 <= bytes.length ? view.getUint16(at, little) : undefined;
  const directory = bytes.length >= 8 ? view.getUint32(4, little) : bytes.length;
  for (let index = 0, count = short(directory) ?? 0; index < count; index++) {
    const entry = directory + 2 + index * TIFF_ENTRY;
    // One number stands in the entry itself.
    if (short(entry) === tag) return short(entry + 2) === TIFF_SHORT ? short(entry + 8) : undefined;
  }
  return undefined;
}

/** The kind of colours that a PNG says it has: 0 grey, 2 RGB, 3 a palette, 4 and 6 the first two with transparency. */
export function pngColours(bytes: Uint8Array): number | undefined {
  return bytes[25];
}

/**
 * The first part of a PNG before its pixels whose sum is not what stands behind it.
 *
 * @param bytes - the file
 * @returns the name of the part; undefined where all are whole
 */
export function damagedPngChunk(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at);
    const name = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
    if (name === 'IDAT' || end + 4 > bytes.length) return undefined;
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) return name;
    at = end + 4;
  }
  return undefined;
}

/**
 * Whether the first frame of a GIF is the whole image.
 *
 * @param bytes - the file
 */
export function gifFrameIsWhole(bytes: Uint8Array): boolean {
  const short = (at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const coloursFrom = 13;
  const packed = bytes[10] ?? 0;
  let at = coloursFrom + (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);
  // Extensions: a label, and blocks up to one of no bytes.
  while (bytes[at] === 0x21) {
    at += 2;
    for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) at += size + 1;
    at += 1;
  }
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => short(at + offset));
  return left === 0 && top === 0 && width === short(6) && height === short(8);
}
