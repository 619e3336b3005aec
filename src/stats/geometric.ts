import type { Estimate } from './interval.js';
import { meanEstimate } from './mean.js';

/**
 * The geometric mean of values with Student's interval on their logarithms: what the next round of a cell would have, on
 * average, when each value is one of its rounds.
 *
 * @param values - above 0, at least one
 * @param confidence - 0.95 for a 95 % interval
 * @returns of a single value, which says nothing of its own error, the interval is the value
 */
export function geometricMean(values: readonly number[], confidence = 0.95): Estimate {
  if (values.length < 2) return { value: values[0]!, low: values[0]!, high: values[0]! };
  const { value, low, high } = meanEstimate(
    values.map((value) => Math.log(value)),
    confidence,
  );
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high) };
}
