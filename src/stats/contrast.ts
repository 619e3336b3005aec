import { mean, sampleVariance } from 'simple-statistics';
import type { Estimate } from './interval.js';
import { dot } from './least-squares.js';
import { normalQuantile, normalTail } from './normal.js';
import { studentQuantile, studentTail } from './student.js';

/** A weighted sum of means, with its interval and the test of whether it is 0. */
export interface ContrastEstimate extends Estimate {
  /** Two-sided. */
  readonly p: number;
}

/** What is left of equal values by rounding, as a share of them. */
const ROUNDING = 1e-12;

/**
 * A weighted sum of the means of several things that were measured in the same blocks: the sum in each block is one observation, with
 * Student's interval and test over the blocks. What a block adds to all alike cancels where the weights sum to 0, and the things may
 * differ in how much they scatter.
 *
 * @param weights - of each thing
 * @param blocks - `[blocks, things]`
 * @param confidence - 0.95 for a 95 % interval
 * @returns undefined with fewer than two blocks; where all blocks agree the interval is the value, and p is 1 or 0
 */
export function pairedContrast(
  weights: readonly number[],
  blocks: readonly (readonly number[])[],
  confidence = 0.95,
): ContrastEstimate | undefined {
  if (blocks.length < 2) return undefined;
  const sums = blocks.map((block) => dot(weights, block));
  const size = Math.max(
    ...blocks.flatMap((block) => block.map((value, at) => Math.abs(value * weights[at]!))),
  );
  return studentEstimate(mean(sums), sampleVariance(sums) / sums.length, sums.length - 1, size, confidence);
}

/**
 * A weighted sum of the means of several things that were measured each by itself, with Welch's interval and test; degrees of freedom
 * by Satterthwaite (Biometrics Bulletin 1946).
 *
 * @param weights - of each thing
 * @param samples - of each thing
 * @param confidence - 0.95 for a 95 % interval
 * @returns undefined where one that has a weight has fewer than two samples; without any variance as in `pairedContrast`
 */
export function unpairedContrast(
  weights: readonly number[],
  samples: readonly (readonly number[])[],
  confidence = 0.95,
): ContrastEstimate | undefined {
  const parts = samples.flatMap((values, at) => {
    const weight = weights[at] ?? 0;
    return Math.abs(weight) > ROUNDING ? [{ weight, values: [...values] }] : [];
  });
  if (parts.some(({ values }) => values.length < 2)) return undefined;
  const variances = parts.map(({ weight, values }) => (weight ** 2 * sampleVariance(values)) / values.length);
  const variance = variances.reduce((sum, each) => sum + each, 0);
  const squares = variances.map((each, at) => each ** 2 / ((parts[at]?.values.length ?? 2) - 1));
  const degrees = variance ** 2 / squares.reduce((sum, each) => sum + each, 0);
  const value = parts.reduce((sum, { weight, values }) => sum + weight * mean(values), 0);
  const size = Math.max(
    0,
    ...parts.map(({ weight, values }) => Math.abs(weight) * Math.max(...values.map(Math.abs))),
  );
  return studentEstimate(value, variance, degrees, size, confidence);
}

/**
 * A weighted sum of shares of right answers to the same questions: that of each question is one observation. Two questions are added, as
 * Agresti & Min (Statistics in Medicine 2005) add half a question to each outcome of a difference of two: half of one with the largest sum
 * that there can be, half of one with the smallest, and one with 0. Without them an interval of few disagreements is too short, and of
 * none has no length at all.
 *
 * @param weights - of each thing
 * @param right - `[things, questions]`, 1 for a right answer
 * @param confidence - 0.95 for a 95 % interval
 * @returns the value without what was added
 */
export function sharesContrast(
  weights: readonly number[],
  right: readonly ArrayLike<number>[],
  confidence = 0.95,
): ContrastEstimate {
  const questions = right[0]?.length ?? 0;
  let sum = 0;
  let squares = 0;
  for (let question = 0; question < questions; question++) {
    let own = 0;
    for (let at = 0; at < weights.length; at++) own += weights[at]! * right[at]![question]!;
    sum += own;
    squares += own ** 2;
  }
  const value = sum / questions;
  const gains = weights.reduce((all, weight) => all + Math.max(0, weight), 0);
  const losses = weights.reduce((all, weight) => all + Math.max(0, -weight), 0);
  const n = questions + 2;
  const centre = sum / n;
  const variance = (squares + (gains ** 2 + losses ** 2) / 2) / n - centre ** 2;
  const error = Math.sqrt(Math.max(0, variance) / n);
  const half = normalQuantile(1 - (1 - confidence) / 2) * error;
  return {
    ...{ value, low: centre - half, high: centre + half },
    p: error > 0 ? 2 * normalTail(Math.abs(centre) / error) : Number(centre === 0),
  };
}

function studentEstimate(
  value: number,
  variance: number,
  degrees: number,
  size: number,
  confidence: number,
): ContrastEstimate {
  const error = Math.sqrt(variance);
  if (error <= ROUNDING * size)
    return { value, low: value, high: value, p: Math.abs(value) <= ROUNDING * size ? 1 : 0 };
  const half = studentQuantile(1 - (1 - confidence) / 2, degrees) * error;
  return {
    value,
    low: value - half,
    high: value + half,
    p: 2 * studentTail(Math.abs(value) / error, degrees),
  };
}
