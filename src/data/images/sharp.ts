import type { Sharp, SharpOptions } from 'sharp';
import { InputError, messageOf } from '../../base/errors.js';

/** Opens an image of bytes. */
export type OpenImage = (bytes: Uint8Array, options: SharpOptions) => Sharp;

/**
 * The library that decodes images: an optional part, because it brings a native library for each platform.
 *
 * @returns a function that opens an image
 * @throws InputError when it is not installed, or cannot be loaded here
 */
export async function loadSharp(): Promise<OpenImage> {
  try {
    const { default: sharp } = await import('sharp');
    // Threads are those of the workers; nothing is asked for twice.
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  } catch (error) {
    throw new InputError({
      source: 'the images',
      place: 'decoding',
      found: `no usable library "sharp" (${messageOf(error).split('\n', 1)[0] ?? ''})`,
      expected:
        'sharp with the native part for this platform, which npm installs unless optional parts are left out',
      hint: 'Install it with "npm install --include=optional sharp". CIFAR-10, shapes10 and arrays of pixels need none.',
    });
  }
}
