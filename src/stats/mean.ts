import { mean, sampleStandardDeviation } from 'simple-statistics';
import type { Estimate } from './interval.js';
import { studentQuantile, studentTail } from './student.js';

/**
 * A mean with Student's interval: right for values that are drawn one by one, whose mean is about normal as that of some hundreds is.
 *
 * @param values - at least one
 * @param confidence - 0.95 for a 95 % interval
 * @returns of a single value both ends are infinite
 */
export function meanEstimate(values: readonly number[], confidence = 0.95): Estimate {
  const value = mean(values);
  if (values.length < 2) return { value, low: -Infinity, high: Infinity };
  const t = studentQuantile(1 - (1 - confidence) / 2, values.length - 1);
  const half = (t * sampleStandardDeviation(values)) / Math.sqrt(values.length);
  return { value, low: value - half, high: value + half };
}

/** How far two means lie apart, and how likely so far by chance. */
export interface MeanDifference {
  /** Second − first, with Student's 95 % interval. */
  readonly change: Estimate;
  /** Two-sided. */
  readonly p: number;
}

/**
 * How far the mean of values lies above that of others of the same subjects: the paired t-test.
 *
 * @param first - of each subject, at least two
 * @param second - of the same subjects in the same order
 * @throws RangeError when they are not as many, or fewer than two
 */
export function pairedMeanDifference(first: readonly number[], second: readonly number[]): MeanDifference {
  if (first.length !== second.length || first.length < 2)
    throw new RangeError(`${first.length} and ${second.length} values, where two or more pairs are wanted`);
  const change = meanEstimate(second.map((value, index) => value - (first[index] ?? NaN)));
  const error = (change.high - change.value) / studentQuantile(0.975, first.length - 1);
  // Where all moved alike, by nothing or by something, nothing is left to chance.
  const p =
    error > 0
      ? 2 * studentTail(Math.abs(change.value) / error, first.length - 1)
      : Number(change.value === 0);
  return { change, p };
}
