import { fromColour, fromGrey } from './convert.js';
import { ImageError } from './error.js';
import type { Picture } from './picture.js';

const SPACES = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);

/**
 * Decodes a binary PGM or PPM with 8 bits: Netpbm's P5 and P6, which sharp does not read.
 *
 * @param bytes - the file
 * @param maxPixels - of more it is refused
 * @throws ImageError when it is truncated, malformed, or of more bits
 */
export function decodePnm(bytes: Uint8Array, maxPixels: number): Picture {
  const colour = bytes[1] === 0x36;
  let at = 2;
  const number = (what: string): number => {
    let digits = '';
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === 0x23 && digits === '') while (at < bytes.length && bytes[at] !== 0x0a) at++;
      else if (!SPACES.has(byte)) digits += String.fromCharCode(byte);
      else if (digits !== '') break;
    }
    if (!/^\d{1,9}$/.test(digits))
      throw new ImageError(`a PNM whose ${what} is "${digits.slice(0, 20)}"`, 'a number');
    return Number(digits);
  };
  const [width, height, most] = [number('width'), number('height'), number('largest value')];
  if (most !== 255)
    throw new ImageError(`a PNM of values up to ${most}`, 'values up to 255: convert it to PNG');
  const channels = colour ? 3 : 1;
  const size = width * height * channels;
  if (width === 0 || height === 0 || width * height > maxPixels)
    throw new ImageError(`a PNM of ${width} × ${height} pixels`, `1 to ${maxPixels} pixels`);
  // One space after the last number.
  const samples = bytes.subarray(at + 1, at + 1 + size);
  if (samples.length < size)
    throw new ImageError(`a PNM that ends after ${samples.length} of its ${size} bytes`, 'a whole image');
  return { width, height, pixels: colour ? fromColour(samples, 3) : fromGrey(samples, 1) };
}
