import type { Sharp, SharpOptions } from 'sharp';
import { optional } from '../../base/optional.js';

/** Opens an image of bytes. */
export type OpenImage = (bytes: Uint8Array, options: SharpOptions) => Sharp;

/**
 * The library that decodes images: an optional part, because it brings a native library for each platform.
 *
 * @returns a function that opens an image
 * @throws InputError when it is not installed, or cannot be loaded here
 */
export async function loadSharp(): Promise<OpenImage> {
  const part = {
    ...{
      packages: ['sharp'],
      source: 'decoding the images',
      what: 'sharp with the native part for this platform',
    },
    without: 'CIFAR-10, shapes10 and arrays of pixels need none.',
  };
  const { default: sharp } = await optional(part, () => import('sharp'));
  // Threads are those of the workers; nothing is asked for twice.
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp;
}
