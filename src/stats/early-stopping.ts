import { binomialProbability } from './binomial.js';

/** What may be said of a tail after so many samples. */
export interface TailEstimate {
  /** The quantile is no larger than this, with the stated confidence. */
  readonly value: number;
  /** The value is the sample of this rank, counted from the largest, which is 1. */
  readonly rank: number;
}

/**
 * The quantile that may be reported after so many samples, by the early-stopping rule of MLPerf's LoadGen: the t-th largest, with
 * t = max{t ≥ 1 : P(Bin(n, 1 − p) ≤ t) ≤ 1 − confidence}. It is an upper bound and approaches the quantile from above as
 * samples come in. The quantile exceeds the t-th largest only if fewer than t samples exceed it, so that the rule is careful by
 * one rank.
 *
 * @param samples - independent
 * @param p - which quantile, 0 < p < 1
 * @param confidence - with which the quantile is no larger than the value
 * @returns undefined with fewer than `samplesNeeded(p, confidence)`
 */
export function tailEstimate(
  samples: readonly number[],
  p: number,
  confidence = 0.99,
): TailEstimate | undefined {
  const n = samples.length;
  const risk = 1 - confidence;
  let rank = 0;
  let cumulative = binomialProbability(n, 0, 1 - p);
  while (rank < n) {
    cumulative += binomialProbability(n, rank + 1, 1 - p);
    if (cumulative > risk) break;
    rank += 1;
  }
  if (rank === 0) return undefined;
  return { value: [...samples].sort((a, b) => b - a)[rank - 1]!, rank };
}

/**
 * The least number of samples from which `tailEstimate` reports a quantile: P(Bin(n, 1 − p) ≤ 1) ≤ 1 − confidence.
 *
 * @param p - which quantile, 0 < p < 1
 * @param confidence - as there
 */
export function samplesNeeded(p: number, confidence = 0.99): number {
  const enough = (n: number): boolean => p ** n + n * (1 - p) * p ** (n - 1) <= 1 - confidence;
  let high = 1;
  while (!enough(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
