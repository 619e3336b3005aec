import type { Estimate } from './interval.js';
import { normalQuantile } from './normal.js';

/**
 * A proportion with Wilson's score interval (Wilson, "Probable Inference", JASA 1927): right also near 0 and 1 and for few
 * trials, where the textbook interval is not.
 *
 * @param successes - how many
 * @param trials - of how many, at least 1
 * @param confidence - 0.95 for a 95 % interval
 */
export function wilson(successes: number, trials: number, confidence = 0.95): Estimate {
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const p = successes / trials;
  const denominator = 1 + z ** 2 / trials;
  const centre = (p + z ** 2 / (2 * trials)) / denominator;
  const half = (z / denominator) * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2));
  // The interval holds the proportion; where the two meet, at 0 and at 1, rounding must not part them.
  const low = Math.max(0, Math.min(p, centre - half));
  const high = Math.min(1, Math.max(p, centre + half));
  return { value: p, low, high };
}
