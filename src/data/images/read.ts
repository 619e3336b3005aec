import { readFile } from 'node:fs/promises';
import { foundBy, InputError } from '../../base/errors.js';
import { readRange } from '../../base/read-range.js';
import { fromGrey, fromPlanes } from './convert.js';
import { decodeImage, type DecodeOptions } from './decode.js';
import { ImageError } from './error.js';
import type { ImagePlace } from './item.js';
import type { Picture } from './picture.js';

/**
 * The bytes of an image, as they lie in its file.
 *
 * @param place - where
 * @throws ImageError when they cannot be read
 */
export async function bytesOf(place: ImagePlace): Promise<Uint8Array> {
  try {
    if (place.kind === 'file') return await readFile(place.path);
    return await readRange(place.path, place.begin, lengthOf(place));
  } catch (error) {
    // Whoever reads an image names it by the user's file, and not by that of the cache.
    const found = error instanceof InputError ? error.fault.found : foundBy(error);
    throw new ImageError(found, 'an image that can be read');
  }
}

function lengthOf(place: Exclude<ImagePlace, { kind: 'file' }>): number {
  return place.kind === 'coded' ? place.bytes : place.height * place.width * place.channels;
}

/**
 * An image, decoded where it is coded.
 *
 * @param place - where it lies
 * @param bytes - as they lie there
 * @param options - how files are decoded
 * @throws as `decodeImage`
 */
export async function pictureOf(
  place: ImagePlace,
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<Picture> {
  if (place.kind !== 'pixels') return decodeImage(bytes, options);
  const { height, width, channels, order } = place;
  if (channels === 1) return { width, height, pixels: fromGrey(bytes, 1) };
  return { width, height, channels, pixels: order === 'together' ? bytes : fromPlanes(bytes, channels) };
}

/**
 * What an image's digest begins with, so that the same bytes in another shape are another image.
 *
 * @param place - where it lies
 */
export function formOf(place: ImagePlace): string {
  if (place.kind !== 'pixels') return '';
  const { height, width, channels, order } = place;
  return `${height} × ${width} × ${channels} ${order}\n`;
}
