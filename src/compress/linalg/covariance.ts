import type { Moments } from '../observe/moments.js';

/**
 * Second moment of the neurons, `E[x·xᵀ] = Σ + E[x]·E[x]ᵀ`.
 *
 * @param moments - of n neurons
 * @returns `[n, n]`
 */
export function secondMomentOf({ mean, covariance }: Moments): Float64Array {
  const n = mean.length;
  const second = covariance.slice();
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) second[i * n + j]! += mean[i]! * mean[j]!;
  }
  return second;
}

/** The ridge is at least this share of the mean variance: float32 products leave errors of that order. */
const LEAST_SHRINKAGE = 1e-6;

/** The ridge where no neuron varies: next to nothing, for what does not vary costs nothing to remove. */
const UNVARIED = 1e-30;

/**
 * The ridge λ to add to a covariance's diagonal before it is inverted, by the oracle approximating shrinkage (Chen,
 * Wiesel, Eldar & Hero, "Shrinkage Algorithms for MMSE Covariance Estimation", IEEE TSP 2010, eq. 23): the fewer rows
 * there are for the number of neurons, the more.
 *
 * @param covariance - `[n, n]`
 * @param n - its side
 * @param rows - how many rows it was estimated from
 * @returns a positive number, even when none of the neurons varies
 */
export function ridgeOf(covariance: Float64Array, n: number, rows: number): number {
  let trace = 0;
  let traceOfSquare = 0;
  for (let i = 0; i < n; i++) trace += covariance[i * n + i]!;
  for (const value of covariance) traceOfSquare += value * value;
  const numerator = (1 - 2 / n) * traceOfSquare + trace ** 2;
  const denominator = (rows + 1 - 2 / n) * (traceOfSquare - trace ** 2 / n);
  const shrinkage = denominator > 0 ? Math.min(1, numerator / denominator) : 1;
  return (Math.max(shrinkage, LEAST_SHRINKAGE) * trace) / n || UNVARIED;
}

/** A matrix with its rows and columns in another order. */
export function permuted(matrix: Float64Array, n: number, order: readonly number[]): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = order[i]! * n;
    for (let j = 0; j < n; j++) out[i * n + j] = matrix[row + order[j]!]!;
  }
  return out;
}

/** A matrix with a number added to its diagonal. */
export function withRidge(matrix: Float64Array, n: number, ridge: number): Float64Array {
  const out = matrix.slice();
  for (let i = 0; i < n; i++) out[i * n + i]! += ridge;
  return out;
}
