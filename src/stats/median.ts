import type { Estimate } from './interval.js';
import { quantileEstimate } from './quantile.js';

/**
 * The median of samples with the distribution-free interval of `quantileEstimate`.
 *
 * @param samples - independent, at least one
 * @param confidence - 0.95 for a 95 % interval
 * @returns with fewer than six samples no pair of them reaches 95 %, and the interval is all of them
 */
export function medianEstimate(samples: readonly number[], confidence = 0.95): Estimate {
  const { value, low, high } = quantileEstimate(samples, 0.5, confidence);
  return { value, low, high };
}
