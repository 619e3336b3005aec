import { mean, sampleStandardDeviation } from 'simple-statistics';
import type { Estimate } from './interval.js';
import { studentQuantile } from './student.js';

/**
 * The geometric mean of values with Student's interval on their logarithms: what the next round of a cell would have, on
 * average, when each value is one of its rounds.
 *
 * @param values - above 0, at least one
 * @param confidence - 0.95 for a 95 % interval
 * @returns of a single value, which says nothing of its own error, the interval is the value
 */
export function geometricMean(values: readonly number[], confidence = 0.95): Estimate {
  const logs = values.map((value) => Math.log(value));
  const centre = mean(logs);
  if (logs.length < 2) return { value: values[0]!, low: values[0]!, high: values[0]! };
  const t = studentQuantile(1 - (1 - confidence) / 2, logs.length - 1);
  const half = (t * sampleStandardDeviation(logs)) / Math.sqrt(logs.length);
  return { value: Math.exp(centre), low: Math.exp(centre - half), high: Math.exp(centre + half) };
}
