/** How pixels between the pixels are found. */
export type Interpolation = 'nearest' | 'linear' | 'cubic';

/** Bits behind the point of `resamplingWeights`: those that Pillow has for 8-bit images. */
export const WEIGHT_BITS = 22;

interface Filter {
  /** The filter is zero this many pixels away from its centre. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const filters: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  linear: { support: 1, weight: (distance) => Math.max(0, 1 - distance) },
  cubic: { support: 2, weight: cubic },
};

/** Keys' cubic with a = −0.5. */
function cubic(distance: number): number {
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? ((2.5 - 0.5 * distance) * distance - 4) * distance + 2 : 0;
}

/**
 * The weights by which Pillow resizes a row (or a column) of 8-bit pixels: pixel centres lie at halves, the filter is as
 * wide as the step when the row shrinks, what would lie outside the row is left out and the rest adds up to one.
 *
 * @param from - pixels of the row
 * @param to - pixels it is to have
 * @param interpolation - which filter
 * @returns `[from, to]`, fixed-point with `WEIGHT_BITS` bits
 */
export function resamplingWeights(from: number, to: number, interpolation: Interpolation): Int32Array {
  const weights = new Int32Array(from * to);
  const step = from / to;
  for (let target = 0; target < to; target++) {
    const centre = (target + 0.5) * step;
    if (interpolation === 'nearest') {
      weights[Math.floor(centre) * to + target] = 2 ** WEIGHT_BITS;
      continue;
    }
    const { support, weight } = filters[interpolation];
    const stretch = Math.max(step, 1);
    const first = Math.max(0, Math.floor(centre - support * stretch + 0.5));
    const end = Math.min(from, Math.floor(centre + support * stretch + 0.5));
    const taps: number[] = [];
    for (let source = first; source < end; source++)
      taps.push(weight(Math.abs(source + 0.5 - centre) / stretch));
    const sum = taps.reduce((total, tap) => total + tap, 0);
    for (const [index, tap] of taps.entries())
      weights[(first + index) * to + target] = Math.round((tap / sum) * 2 ** WEIGHT_BITS);
  }
  return weights;
}
