import { IMAGE_CHANNELS, IMAGE_SIDE } from '../../../src/data/dataset.js';

/**
 * Pillow's resampling of 8-bit images (libImaging/Resample.c), in float64: the pixel centres lie at halves, the filter
 * is as wide as the step when the image shrinks, and what falls outside the image is left out and the rest renormalised.
 */

interface Filter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

export const filters = {
  linear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  cubic: {
    support: 2,
    weight: (x) => {
      const a = -0.5;
      const d = Math.abs(x);
      if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
    },
  },
} satisfies Record<string, Filter>;

/** Where the taps of an output pixel begin, and their weights. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

function tapsOf(
  inputSize: number,
  outputSize: number,
  filter: Filter,
  store: (weight: number) => number,
): Taps[] {
  const scale = inputSize / outputSize;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  return Array.from({ length: outputSize }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(inputSize, Math.trunc(centre + support + 0.5));
    const weights: number[] = [];
    for (let x = first; x < end; x++) weights.push(filter.weight((x - centre + 0.5) / stretch));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => store(weight / sum)) };
  });
}

/** What each of the two passes gives is stored in 8 bits. */
export function toByte(value: number): number {
  return Math.min(255, Math.max(0, Math.floor(value + 0.5)));
}

/** How Pillow stores its weights: 22 bits behind the point, halves away from zero. */
export function fixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** 22 + Math.sign(weight) * 0.5) / 2 ** 22;
}

/**
 * Resizes one image.
 *
 * @param pixels - `[3, 32, 32]`
 * @param size - side of the result
 * @param filter - which filter
 * @param store - what becomes of a weight: `fixedPoint`, with which Pillow's C code is followed to the bit
 * @returns the result of the second pass before it is stored in 8 bits, `[3, size, size]`
 */
export function resizedByPillow(
  pixels: Uint8Array,
  size: number,
  filter: Filter,
  store: (weight: number) => number,
): Float64Array {
  const taps = tapsOf(IMAGE_SIDE, size, filter, store);
  const rows = IMAGE_CHANNELS * IMAGE_SIDE;
  const wide = new Float64Array(rows * size);
  for (let row = 0; row < rows; row++)
    for (const [x, { first, weights }] of taps.entries())
      wide[row * size + x] = toByte(
        weights.reduce((sum, weight, tap) => sum + weight * pixels[row * IMAGE_SIDE + first + tap]!, 0),
      );
  const result = new Float64Array(IMAGE_CHANNELS * size * size);
  for (let channel = 0; channel < IMAGE_CHANNELS; channel++)
    for (const [y, { first, weights }] of taps.entries())
      for (let x = 0; x < size; x++)
        result[(channel * size + y) * size + x] = weights.reduce(
          (sum, weight, tap) => sum + weight * wide[(channel * IMAGE_SIDE + first + tap) * size + x]!,
          0,
        );
  return result;
}
