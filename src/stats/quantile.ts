import { binomialProbability } from './binomial.js';
import type { Estimate } from './interval.js';

/** A quantile with its interval, and how sure that interval is. */
export interface QuantileEstimate extends Estimate {
  /**
   * The probability with which two samples at these ranks enclose the quantile, whatever the (continuous) distribution: at
   * least the confidence that was asked for, or less when there are too few samples to reach it.
   */
  readonly coverage: number;
}

/**
 * A quantile of samples with a distribution-free interval: the order statistics beyond which the quantile lies with at most
 * half of 1 − confidence on either side (Hahn & Meeker, "Statistical Intervals", 1991, section 5.2). With X₍ᵢ₎ the i-th smallest
 * of n samples, P(quantile < X₍ₗ₎) = P(Bin(n, p) ≤ l − 1) and P(quantile > X₍ᵤ₎) = P(Bin(n, p) ≥ u).
 *
 * The value is the inverse of the empirical distribution, with the mean of two samples where it is level between them (definition
 * 2 of Hyndman & Fan, The American Statistician 1996), so that at ½ it is the median. simple-statistics takes another sample
 * of an odd number, and the next one where `p * n` is not whole only by rounding (0.07 · 100).
 *
 * @param samples - independent, at least one
 * @param p - which quantile, 0 < p < 1
 * @param confidence - 0.95 for a 95 % interval
 * @returns where no sample is extreme enough, the interval ends at the smallest or the largest, and `coverage` says what is
 *   left of the confidence
 */
export function quantileEstimate(samples: readonly number[], p: number, confidence = 0.95): QuantileEstimate {
  const sorted = [...samples].sort((a, b) => a - b);
  const n = sorted.length;
  const tail = (1 - confidence) / 2;
  // Ranks count from 1. The lower one rises, the upper one falls as long as what lies beyond keeps to its half.
  let below = binomialProbability(n, 0, p);
  let lower = 1;
  for (let next = below; lower < n; lower++) {
    next += binomialProbability(n, lower, p);
    if (next > tail) break;
    below = next;
  }
  let above = binomialProbability(n, n, p);
  let upper = n;
  for (let next = above; upper > lower; upper--) {
    next += binomialProbability(n, upper - 1, p);
    if (next > tail) break;
    above = next;
  }
  const value = quantileOf(sorted, p);
  return {
    value,
    low: Math.min(value, sorted[lower - 1]!),
    high: Math.max(value, sorted[upper - 1]!),
    coverage: Math.max(0, 1 - below - above),
  };
}

function quantileOf(sorted: readonly number[], p: number): number {
  const exact = p * sorted.length;
  const whole = Math.round(exact);
  if (Math.abs(exact - whole) > 1e-9 * exact || whole === 0) return sorted[Math.ceil(exact) - 1]!;
  return (sorted[whole - 1]! + sorted[Math.min(whole, sorted.length - 1)]!) / 2;
}
