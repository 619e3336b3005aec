import { mean, median, sampleStandardDeviation } from 'simple-statistics';
import type { Estimate } from './interval.js';
import { studentQuantile } from './student.js';

/**
 * The ratio of two latencies that were measured in the same rounds, one after the other in each: the geometric mean of the
 * rounds' ratios of medians, with Student's interval on their logarithms. What slows a whole round down cancels; what
 * differs from process to process does not, and widens the interval.
 *
 * @param numerator - samples by round
 * @param denominator - samples by round, the same rounds
 * @param confidence - 0.95 for a 95 % interval
 * @returns undefined with fewer than two common rounds: one pair of processes says nothing about the next
 */
export function pairedRatio(
  numerator: ReadonlyMap<number, readonly number[]>,
  denominator: ReadonlyMap<number, readonly number[]>,
  confidence = 0.95,
): Estimate | undefined {
  const logs: number[] = [];
  for (const [round, samples] of numerator) {
    const others = denominator.get(round);
    if (others && others.length > 0 && samples.length > 0)
      logs.push(Math.log(median([...samples]) / median([...others])));
  }
  if (logs.length < 2) return undefined;
  const centre = mean(logs);
  const t = studentQuantile(1 - (1 - confidence) / 2, logs.length - 1);
  const half = (t * sampleStandardDeviation(logs)) / Math.sqrt(logs.length);
  return { value: Math.exp(centre), low: Math.exp(centre - half), high: Math.exp(centre + half) };
}
