import { median } from 'simple-statistics';
import { binomialProbability } from './binomial.js';
import type { Estimate } from './interval.js';

/**
 * The median of samples with a distribution-free interval: the order statistics between which the median lies with at
 * least the stated confidence, whatever the distribution (Hahn & Meeker, "Statistical Intervals", 1991, section 5.2).
 *
 * @param samples - independent, at least one
 * @param confidence - 0.95 for a 95 % interval
 * @returns with fewer than six samples no pair of them reaches 95 %, and the interval is all of them
 */
export function medianEstimate(samples: readonly number[], confidence = 0.95): Estimate {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  // P(the median lies below the (r+1)-th smallest) = P(Bin(n, ½) ≤ r): take the largest r that leaves half of α.
  let below = 0;
  let cumulative = binomialProbability(n, 0, 0.5);
  while (below + 1 < n / 2) {
    cumulative += binomialProbability(n, below + 1, 0.5);
    if (cumulative > (1 - confidence) / 2) break;
    below += 1;
  }
  return { value: median(sorted), low: sorted[below]!, high: sorted[n - 1 - below]! };
}
