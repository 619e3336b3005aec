/** How pixels between the pixels are found: Pillow's filters. */
export type Interpolation = 'nearest' | 'linear' | 'cubic' | 'box' | 'hamming' | 'lanczos';

/** Bits behind the point of `resamplingWeights`: those that Pillow has for 8-bit images. */
export const WEIGHT_BITS = 22;

interface Filter {
  /** The filter is zero this many pixels away from its centre. */
  readonly support: number;
  readonly weight: (offset: number) => number;
}

const filters: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  linear: { support: 1, weight: (offset) => Math.max(0, 1 - Math.abs(offset)) },
  cubic: { support: 2, weight: (offset) => cubic(Math.abs(offset)) },
  // Its edges belong to one side only.
  box: { support: 0.5, weight: (offset) => Number(offset > -0.5 && offset <= 0.5) },
  hamming: { support: 1, weight: (offset) => hamming(Math.abs(offset)) },
  lanczos: {
    support: 3,
    weight: (offset) => (offset >= -3 && offset < 3 ? sinc(offset) * sinc(offset / 3) : 0),
  },
};

/** Keys' cubic with a = −0.5. */
function cubic(distance: number): number {
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * -0.5 : 0;
}

/** A sinc within Hamming's window. */
function hamming(distance: number): number {
  if (distance === 0) return 1;
  if (distance >= 1) return 0;
  const x = distance * Math.PI;
  return (Math.sin(x) / x) * (0.54 + 0.46 * Math.cos(x));
}

function sinc(offset: number): number {
  if (offset === 0) return 1;
  const x = offset * Math.PI;
  return Math.sin(x) / x;
}

/** The pixels of a row that a resized one is made of: the same number for each, those beyond the last with weight zero. */
export interface ResamplingTaps {
  /** Taps of each resized pixel. */
  readonly count: number;
  /** The first pixel of each, `[to]`. */
  readonly first: Int32Array;
  /** `[to, count]`, fixed-point with `WEIGHT_BITS` bits. */
  readonly weights: Int32Array;
}

/**
 * The weights by which Pillow resizes a row (or a column) of 8-bit pixels: pixel centres lie at halves, the filter is as
 * wide as the step when the row shrinks, what would lie outside the row is left out and the rest adds up to one
 * (libImaging/Resample.c; for `nearest` ScaleAffine in Geometry.c).
 *
 * @param from - pixels of the row
 * @param to - pixels it is to have
 * @param interpolation - which filter
 */
export function resamplingTaps(from: number, to: number, interpolation: Interpolation): ResamplingTaps {
  const first = new Int32Array(to);
  const step = from / to;
  if (interpolation === 'nearest') {
    // Added up step by step, as there: a product would fall on the other side of a whole number now and then.
    for (let [target, place] = [0, step * 0.5]; target < to; target++, place += step)
      first[target] = Math.min(from - 1, Math.floor(place));
    return { count: 1, first, weights: new Int32Array(to).fill(2 ** WEIGHT_BITS) };
  }
  const { support, weight } = filters[interpolation];
  const stretch = Math.max(step, 1);
  const reach = support * stretch;
  const count = Math.min(from, Math.ceil(reach) * 2 + 1);
  const weights = new Int32Array(to * count);
  for (let target = 0; target < to; target++) {
    const centre = (target + 0.5) * step;
    const begin = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(from, Math.trunc(centre + reach + 0.5));
    const taps: number[] = [];
    let sum = 0;
    for (let source = begin; source < end; source++) {
      const tap = weight((source - centre + 0.5) * (1 / stretch));
      taps.push(tap);
      sum += tap;
    }
    // Where the row ends early, the window begins earlier instead, so that all of it lies within the row.
    const start = Math.min(begin, from - count);
    first[target] = start;
    for (const [index, tap] of taps.entries())
      weights[target * count + begin - start + index] = fixedPoint(sum === 0 ? tap : tap / sum);
  }
  return { count, first, weights };
}

/** Halves away from zero. */
function fixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** WEIGHT_BITS + (weight < 0 ? -0.5 : 0.5));
}

/**
 * The same as a matrix.
 *
 * @param from - pixels of the row
 * @param to - pixels it is to have
 * @param interpolation - which filter
 * @returns `[from, to]`, fixed-point with `WEIGHT_BITS` bits
 */
export function resamplingWeights(from: number, to: number, interpolation: Interpolation): Int32Array {
  const { count, first, weights } = resamplingTaps(from, to, interpolation);
  const matrix = new Int32Array(from * to);
  for (let target = 0; target < to; target++)
    for (let tap = 0; tap < count; tap++)
      matrix[(first[target]! + tap) * to + target]! += weights[target * count + tap]!;
  return matrix;
}
