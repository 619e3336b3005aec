import { median } from 'simple-statistics';
import { defined } from '../base/defined.js';
import { seededRandom } from '../base/random.js';
import { studentTail } from './student.js';

/** From so many values on the scale is one that outliers do not stretch. */
const ROBUST_FROM = 5;

/** So many simulated values tell how far one of a sample lies out by chance. */
const SIMULATED = 200_000;

/** Samples that are simulated at least, however large one is. */
const LEAST_SAMPLES = 200;

const SEED = 20_261_129;

/** How odd each value of a sample is. */
export interface Oddness {
  /**
   * `left out`: each against the mean and the scatter of the others. `robust`: each against the median, by a scale that several outliers
   * do not stretch.
   */
  readonly method: 'left out' | 'robust';
  /** For each value how likely one lies so far out by chance, two-sided, of a normal sample. Not corrected for their number. */
  readonly ps: readonly number[];
  /** How far a value must lie from the centre for a given p, in the values' unit. */
  readonly distanceFor: (p: number) => number;
}

/**
 * How likely each value of a sample lies so far from the others by chance.
 *
 * Of three or four values, each is held against the others: (x − mean of the others) / (their standard deviation · √(1 + 1/(n − 1))) has
 * Student's t distribution with n − 2 degrees of freedom (the externally studentised residual; Cook & Weisberg, "Residuals and Influence in
 * Regression", 1982, 2.2). Two outliers among them hide each other. From five on it is |x − median| / Qₙ, where Qₙ is the order statistic
 * number h(h − 1)/2, h = ⌊n/2⌋ + 1, of all distances of two values (Rousseeuw & Croux, "Alternatives to the median absolute deviation",
 * JASA 1993), which half of the values may be outliers of; its distribution is simulated from normal samples of the same size, with a
 * fixed seed, and counts (1 + as far out) / (1 + all) (Davison & Hinkley, "Bootstrap Methods", 1997, 4.2.5).
 *
 * @param values - in any order
 * @param relative - what the standard deviation of each is, as a multiple of the usual one; 1 each if left out
 * @returns undefined of fewer than three values: nobody knows which of two is the odd one; and where the scale is 0
 */
export function oddness(
  values: readonly number[],
  relative: readonly number[] = values.map(() => 1),
): Oddness | undefined {
  if (values.length < 3) return undefined;
  return values.length < ROBUST_FROM ? leftOut(values) : robust(values, relative);
}

function leftOut(values: readonly number[]): Oddness | undefined {
  const n = values.length;
  const scored = values.map((value, index) => {
    const others = values.filter((_, other) => other !== index);
    const centre = others.reduce((sum, each) => sum + each, 0) / (n - 1);
    const variance = others.reduce((sum, each) => sum + (each - centre) ** 2, 0) / (n - 2);
    return { distance: Math.abs(value - centre), error: Math.sqrt(variance * (1 + 1 / (n - 1))) };
  });
  if (scored.some(({ error }) => error === 0)) return undefined;
  const typical = median(scored.map(({ error }) => error));
  return {
    method: 'left out',
    ps: scored.map(({ distance, error }) => 2 * studentTail(distance / error, n - 2)),
    distanceFor: (p) => typical * whereTail((t) => 2 * studentTail(t, n - 2), p),
  };
}

function robust(values: readonly number[], relative: readonly number[]): Oddness | undefined {
  const centre = median([...values]);
  const evened = values.map((value, index) => (value - centre) / defined(relative[index], 'a scale'));
  const scale = scaleQn(evened);
  if (scale === 0) return undefined;
  const chance = simulated(values.length);
  return {
    method: 'robust',
    ps: evened.map((each) => (1 + above(chance, Math.abs(each) / scale)) / (1 + chance.length)),
    distanceFor: (p) => {
      const beyond = Math.floor(p * (1 + chance.length)) - 1;
      return beyond < 0 ? Infinity : scale * defined(chance[chance.length - 1 - beyond], 'a distance');
    },
  };
}

/** Distances from the median in units of Qₙ, of normal samples of a size, ascending. */
const known = new Map<number, Float64Array>();

function simulated(size: number): Float64Array {
  const before = known.get(size);
  if (before !== undefined) return before;
  const random = seededRandom(SEED + size);
  const samples = Math.max(LEAST_SAMPLES, Math.ceil(SIMULATED / size));
  const distances = new Float64Array(samples * size);
  for (let sample = 0; sample < samples; sample++) {
    const values = Array.from({ length: size }, () => random.normal());
    const centre = median(values);
    const scale = scaleQn(values);
    for (const [index, value] of values.entries())
      distances[sample * size + index] = Math.abs(value - centre) / scale;
  }
  distances.sort();
  known.set(size, distances);
  return distances;
}

/** Qₙ without its factor for normal samples. */
function scaleQn(values: readonly number[]): number {
  const n = values.length;
  const apart = new Float64Array((n * (n - 1)) / 2);
  let at = 0;
  for (const [index, value] of values.entries())
    for (let other = 0; other < index; other++)
      apart[at++] = Math.abs(value - defined(values[other], 'another value'));
  const half = Math.floor(n / 2) + 1;
  return defined(apart.sort()[(half * (half - 1)) / 2 - 1], 'a distance of two values');
}

/** How many of ascending numbers are at least so large. */
function above(ascending: Float64Array, least: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (defined(ascending[middle], 'a distance') < least) low = middle + 1;
    else high = middle;
  }
  return ascending.length - low;
}

/** Where a falling tail has a value, by bisection. */
function whereTail(tail: (t: number) => number, p: number): number {
  let [low, high] = [0, 1];
  while (tail(high) > p && high < 1e12) high *= 2;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (tail(middle) > p) low = middle;
    else high = middle;
  }
  return high;
}
