import type { Blas } from '../linalg/blas.js';
import { cholesky } from '../linalg/cholesky.js';
import { permuted, ridgeOf, withRidge } from '../linalg/covariance.js';
import type { Moments } from '../observe/moments.js';
import { stepBeside, toNearest, type Grid, type Rounding } from './rounding.js';

/** Width of the panels: what is inside one is done in JavaScript, all else by the Gemm. */
const PANEL = 128;

/**
 * Rounding that makes up for its own errors: the inputs of a linear are rounded one after the other, those that vary most first, and
 * what an input's rounding adds to the outputs is taken off by those that are still to be rounded, as far as they vary together.
 *
 * With Σ the covariance of the inputs, L its Cholesky factor and E the errors of the weights, an output's mean squared error, its mean
 * apart, is ‖E · L‖². Column j of E · L depends on the errors from j on alone; so going from the last column to the first, each is made
 * as near to nothing as the grid allows. That is GPTQ (arXiv 2210.17323) without the inverse: the nearest-plane algorithm (arXiv
 * 2507.18553).
 *
 * @param moments - of the inputs
 * @param blas - float64 products
 * @returns the rounding for all linears that read these inputs
 */
export async function withFeedback(moments: Moments, blas: Blas): Promise<Rounding> {
  const { covariance, mean, rows } = moments;
  const n = mean.length;
  const variance = (i: number): number => covariance[i * n + i]!;
  // What varies most stands last, and is rounded first.
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => variance(a) - variance(b) || a - b);
  const ridge = ridgeOf(covariance, n, rows);
  const factor = await cholesky(withRidge(permuted(covariance, n, order), n, ridge), n, blas);
  return (weight, _, grid) => rounded(weight, order, factor, grid, blas);
}

/** @param factor - L, `[inputs, inputs]`, in the order given */
async function rounded(
  weight: Float32Array,
  order: readonly number[],
  factor: Float64Array,
  grid: Grid,
  blas: Blas,
): Promise<Int8Array> {
  const n = order.length;
  const outputs = weight.length / n;
  const blocks = Math.ceil(n / grid.blockSize);
  // An input leaves room for what its neighbour would get by itself, where pairs are bounded and that is still to be rounded.
  const steps = toNearest(weight, n, grid);
  /** `[outputs, inputs]`: what the errors of the columns behind each have added to its column of E · L. */
  const added = new Float64Array(weight.length);
  for (let start = Math.floor((n - 1) / PANEL) * PANEL; start >= 0; start -= PANEL) {
    const width = Math.min(PANEL, n - start);
    const errors = new Float64Array(outputs * width);
    for (let o = 0; o < outputs; o++) {
      for (let j = start + width - 1; j >= start; j--) {
        const input = order[j]!;
        const beside = input ^ 1;
        const at = o * n + input;
        const scale = grid.scales[o * blocks + Math.floor(input / grid.blockSize)]!;
        const wanted = weight[at]! + added[o * n + j]! / factor[j * n + j]!;
        const step = stepBeside(grid, wanted / scale, beside < n ? steps[o * n + beside]! : 0);
        steps[at] = step;
        const error = weight[at]! - step * scale;
        errors[o * width + j - start] = error;
        for (let k = start; k < j; k++) added[o * n + k]! += error * factor[j * n + k]!;
      }
    }
    if (start === 0) continue;
    const before = new Float64Array(width * start);
    for (let r = 0; r < width; r++) {
      const row = (start + r) * n;
      before.set(factor.subarray(row, row + start), r * start);
    }
    const product = await blas.product(errors, before, width);
    for (let o = 0; o < outputs; o++)
      for (let k = 0; k < start; k++) added[o * n + k]! += product[o * start + k]!;
  }
  return steps;
}
