import { mean, sampleVariance, sum } from 'simple-statistics';
import { chiSquareUpper } from './chi-square.js';
import { fisherTail, fisherUpper } from './f-distribution.js';
import type { Estimate } from './interval.js';

/** How much of what values scatter lies between groups, and how much within them. */
export interface VarianceComponents {
  readonly groups: number;
  readonly observations: number;
  /** Degrees of freedom of the two mean squares. */
  readonly degrees: { readonly between: number; readonly within: number };
  /** Standard deviation of the groups' true means, with its interval; 0 where the groups differ no more than chance makes them. */
  readonly between: Estimate;
  /** Standard deviation of values within a group, with its interval. */
  readonly within: Estimate;
  /** Share of the variance of a single value that lies between groups (intraclass correlation), 0 … 1, with its interval. */
  readonly share: Estimate;
  /** How likely groups differ so much if they are all the same: the F test. */
  readonly p: number;
}

/**
 * Variance components of the one-way random model y = μ + group + error, by the method of moments on unweighted means: S² of the groups'
 * means has the expectation σ²(between) + σ²(within) / ñ, with ñ the harmonic mean of the groups' sizes (Thomas & Hultquist, "Interval
 * estimation for the unbalanced case of the one-way random effects model", Annals of Statistics 1978). For groups of one size this is the
 * analysis of variance.
 *
 * Intervals: of σ²(within) by χ², exact; of σ²(between) by the modified large-sample method (Ting, Burdick, Graybill, Jeyaratnam & Lu,
 * "Confidence intervals on linear combinations of variance components that are unrestricted in sign", Journal of Statistical Computation
 * and Simulation 1990; Burdick & Graybill, "Confidence Intervals on Variance Components", 1992, 3.3 and 4.3); of the share by the F ratio,
 * exact for groups of one size (1992, 3.4). Ends below 0 are 0: there is no such variance.
 *
 * @param groups - values of each group
 * @param confidence - 0.95 for 95 % intervals
 * @returns undefined with fewer than two groups, without a group of two values, and where values within groups do not scatter at all
 */
export function varianceComponents(
  groups: readonly (readonly number[])[],
  confidence = 0.95,
): VarianceComponents | undefined {
  const filled = groups.filter((group) => group.length > 0);
  const observations = sum(filled.map((group) => group.length));
  const degrees = { between: filled.length - 1, within: observations - filled.length };
  if (degrees.between < 1 || degrees.within < 1) return undefined;
  const size = filled.length / sum(filled.map((group) => 1 / group.length));
  const ofMeans = sampleVariance(filled.map((group) => mean([...group])));
  const within =
    sum(filled.map((group) => (group.length < 2 ? 0 : (group.length - 1) * sampleVariance([...group])))) /
    degrees.within;
  if (!(within > 0)) return undefined;
  const outside = (1 - confidence) / 2;
  const ratio = (ofMeans * size) / within;
  const shareAt = (f: number): number => {
    const between = Math.max(0, (ratio / f - 1) / size);
    return between / (1 + between);
  };
  return {
    ...{ groups: filled.length, observations, degrees },
    between: deviations(betweenOf(ofMeans, within / size, degrees, outside)),
    within: deviations({
      value: within,
      low: (within * degrees.within) / chiSquareUpper(outside, degrees.within),
      high: (within * degrees.within) / chiSquareUpper(1 - outside, degrees.within),
    }),
    share: {
      value: shareAt(1),
      low: shareAt(fisherUpper(outside, degrees.between, degrees.within)),
      high: shareAt(fisherUpper(1 - outside, degrees.between, degrees.within)),
    },
    p: fisherTail(ratio, degrees.between, degrees.within),
  };
}

/** The difference of two mean squares, with the modified large-sample interval. */
function betweenOf(
  plus: number,
  minus: number,
  degrees: VarianceComponents['degrees'],
  outside: number,
): Estimate {
  const [a, b] = [degrees.between, degrees.within];
  const value = plus - minus;
  const [upperA, lowerA] = [fisherUpper(outside, a, Infinity), fisherUpper(1 - outside, a, Infinity)];
  const [upperB, lowerB] = [fisherUpper(outside, b, Infinity), fisherUpper(1 - outside, b, Infinity)];
  const [upper, lower] = [fisherUpper(outside, a, b), fisherUpper(1 - outside, a, b)];
  const [gA, hA, gB, hB] = [1 - 1 / upperA, 1 / lowerA - 1, 1 - 1 / upperB, 1 / lowerB - 1];
  const gAB = ((upper - 1) ** 2 - (gA * upper) ** 2 - hB ** 2) / upper;
  const hAB = ((1 - lower) ** 2 - (hA * lower) ** 2 - gB ** 2) / lower;
  const below = (gA * plus) ** 2 + (hB * minus) ** 2 + gAB * plus * minus;
  const above = (hA * plus) ** 2 + (gB * minus) ** 2 + hAB * plus * minus;
  return {
    value,
    low: value - Math.sqrt(Math.max(0, below)),
    high: value + Math.sqrt(Math.max(0, above)),
  };
}

/** Variances as standard deviations. */
function deviations({ value, low, high }: Estimate): Estimate {
  const root = (variance: number): number => Math.sqrt(Math.max(0, variance));
  return { value: root(value), low: root(low), high: root(high) };
}
