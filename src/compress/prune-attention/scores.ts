import type { Blas } from '../linalg/blas.js';
import { cholesky, solveLowerTransposed } from '../linalg/cholesky.js';
import { withRidge } from '../linalg/covariance.js';
import { eigenOf } from '../linalg/eigen.js';
import { transposed } from '../linalg/transpose.js';
import type { PruneAttentionOptions } from './options.js';

/** How a head's queries and keys vary: `[d, d]` each, row-major. */
export interface HeadMoments {
  /** Second moment of the queries, `E[q·qᵀ]`. */
  readonly queries: Float64Array;
  /** Covariance of the keys within an image: what is the same for all keys of an image, softmax does not see. */
  readonly keys: Float64Array;
}

/** What becomes of a head's queries and keys, `q' = query · q` and `k' = key · k`, and what that costs. */
export interface NarrowHead {
  /** `[size, d]`. */
  readonly query: Float64Array;
  /** `[size, d]`. */
  readonly key: Float64Array;
  /** Mean squared error of `q·k`, and its variance over the keys of an image: of all pairs, as if queries and keys were independent. */
  readonly error: number;
  readonly variance: number;
}

/** Narrows a head to a width. */
export type HeadNarrowing = (size: number) => Promise<NarrowHead>;

/** The ridge on the queries' second moment, as a share of its mean: enough to invert it, and nothing against rounding to float32. */
const RIDGE = 1e-9;

/** An eigenvalue below this share of the largest is rounding. */
const ROUNDING = 1e-12;

/**
 * Prepares to narrow the queries and keys of a head, which only meet in the products `q·k`. With M = L·Lᵀ the second moment of the queries and Σ the
 * covariance of the keys, the mean squared error of `qᵀ·N·k` in their place is `‖Lᵀ·(I − N)·Σ^½‖²`. Of all N of rank r the best is
 * `L⁻ᵀ·U·Uᵀ·Lᵀ`, U the first r eigenvectors of `Lᵀ·Σ·L` (Eckart & Young, Psychometrika 1, 1936): so `q' = Uᵀ·L⁻¹·q` and
 * `k' = Uᵀ·Lᵀ·k`, and the error is the sum of the other eigenvalues. Where channels are chosen first and then made up for by ridge
 * regression (CORP, arXiv 2602.05243), N is of the same rank, and so never better.
 *
 * Each pair of channels is scaled so that both vary alike.
 *
 * @param moments - of the head
 * @param d - its width
 * @param compensation - whether what stays makes up for what goes
 * @param blas - float64 products
 * @returns a function that narrows it to a width: what all widths share is done by then
 */
export async function narrowingOf(
  moments: HeadMoments,
  d: number,
  compensation: PruneAttentionOptions['compensation'],
  blas: Blas,
): Promise<HeadNarrowing> {
  return compensation === 'none' ? byChoosing(moments, d) : byRecombining(moments, d, blas);
}

/** Keeps the channels whose products vary most. */
function byChoosing({ queries, keys }: HeadMoments, d: number): HeadNarrowing {
  const worth = (channel: number): number => queries[channel * d + channel]! * keys[channel * d + channel]!;
  const order = Array.from({ length: d }, (_, i) => i).sort((a, b) => worth(b) - worth(a) || a - b);
  const variance = traceOfProduct(queries, keys, d);
  return (size) => {
    const gone = order.slice(size);
    const error = traceOfProduct(among(queries, d, gone), among(keys, d, gone), gone.length);
    const chosen = selection(order.slice(0, size), d);
    return Promise.resolve({ query: chosen, key: chosen, error, variance });
  };
}

/** Lets the channels that stay make up for those that go. */
async function byRecombining({ queries, keys }: HeadMoments, d: number, blas: Blas): Promise<HeadNarrowing> {
  const variance = traceOfProduct(queries, keys, d);
  const ridge = (RIDGE * traceOf(queries, d)) / d || 1;
  const factor = await cholesky(withRidge(queries, d, ridge), d, blas);
  const upper = transposed(factor, d, d);
  const { values, vectors } = eigenOf(await blas.product(await blas.product(upper, keys, d), factor, d), d);
  return async (size) => {
    const kept = vectors.subarray(0, size * d);
    const query = transposed(
      await solveLowerTransposed(factor, d, transposed(kept, size, d), size, blas),
      d,
      size,
    );
    const key = await blas.product(kept, upper, d);
    let error = 0;
    for (let i = d - 1; i >= size; i--) error += Math.max(0, values[i]!);
    const least = ROUNDING * values[0]!;
    for (let i = 0; i < size; i++) {
      // Queries vary by 1 and keys by the eigenvalue: by its square root both do.
      const balance = Math.max(values[i]!, least) ** 0.25 || 1;
      for (let c = 0; c < d; c++) {
        query[i * d + c]! *= balance;
        key[i * d + c]! /= balance;
      }
    }
    return { query, key, error, variance };
  };
}

/** tr(A · B) for symmetric matrices. */
function traceOfProduct(a: Float64Array, b: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n * n; i++) sum += a[i]! * b[i]!;
  return sum;
}

function traceOf(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i]!;
  return sum;
}

/** The rows and columns of some channels. */
function among(matrix: Float64Array, n: number, channels: readonly number[]): Float64Array {
  return Float64Array.from(channels.flatMap((i) => channels.map((j) => matrix[i * n + j]!)));
}

/** Picks channels, `[chosen, n]`. */
function selection(chosen: readonly number[], n: number): Float64Array {
  const out = new Float64Array(chosen.length * n);
  for (const [row, channel] of chosen.entries()) out[row * n + channel] = 1;
  return out;
}
