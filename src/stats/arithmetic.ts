import type { Estimate } from './interval.js';

/*
 * Arithmetic on intervals, end by end (Moore, "Interval Analysis", 1966): the result holds every value that the operands may have
 * together. Of two 95 % intervals it covers at least 90 % (Bonferroni), and mostly more, as both would have to lie at their ends.
 */

/** An estimate without any uncertainty. */
export function exactly(value: number): Estimate {
  return { value, low: value, high: value };
}

/**
 * One estimate divided by another.
 *
 * @param numerator - at least 0
 * @param denominator - above 0
 */
export function quotient(numerator: Estimate, denominator: Estimate): Estimate {
  return {
    value: numerator.value / denominator.value,
    low: numerator.low / denominator.high,
    high: numerator.high / denominator.low,
  };
}

/**
 * What is smaller where an estimate is larger: 1 less a share.
 *
 * @param share - 0 … 1
 */
export function complement({ value, low, high }: Estimate): Estimate {
  return { value: 1 - value, low: 1 - high, high: 1 - low };
}

/**
 * So many times an estimate.
 *
 * @param factor - at least 0
 */
export function times({ value, low, high }: Estimate, factor: number): Estimate {
  return { value: value * factor, low: low * factor, high: high * factor };
}
