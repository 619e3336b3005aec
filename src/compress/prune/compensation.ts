import type { Blas } from '../linalg/blas.js';
import { cholesky, solveLowerTransposed, timesLower } from '../linalg/cholesky.js';
import { transposed } from '../linalg/transpose.js';
import { permuted, ridgeOf, secondMomentOf, withRidge } from '../linalg/covariance.js';
import type { MlpObservation, MlpWeights, NarrowMlp } from './mlp.js';
import type { Compensation } from './options.js';

/** The share of a sum of squares that may be rounding. */
const ROUNDING = 1e-12;

/**
 * An MLP whose neurons are put in order, the ones to keep first, and what removing the last of them costs for every
 * width at once.
 *
 * With S the kept and P the pruned neurons, W2 the columns of FC2, Σ the covariance and M the second moment of the
 * neurons, the squared error that pruning adds to an output row of FC2 is, on average over the calibration rows,
 *
 * - without compensation: tr(W_P · M_PP · W_Pᵀ)
 * - with the means of the pruned neurons in FC2's bias: tr(W_P · Σ_PP · W_Pᵀ)
 * - with least squares, the pruned neurons expressed by the kept ones: tr(W_P · (Σ_PP − Σ_PS Σ_SS⁻¹ Σ_SP) · W_Pᵀ).
 *   With L the Cholesky factor of Σ in this order the Schur complement is L_PP · L_PPᵀ, so that the error is the sum of
 *   the squared lengths of the last columns of W2 · L: one factorisation gives the curve for all widths.
 */
export interface OrderedMlp {
  /** Neurons, the most important first. */
  readonly order: readonly number[];
  /** `loss[width]`: mean squared error added to FC2's output when `width` neurons stay. */
  readonly loss: Float64Array;
  /** tr(W2 · Σ · W2ᵀ): the variance of FC2's output, which makes losses of different blocks comparable. */
  readonly outputVariance: number;
  /** What the ordered neurons give on average, for FC2's bias; undefined without compensation. */
  readonly mean: Float64Array | undefined;
  /** L, `[neurons, neurons]`, in this order; undefined unless by least squares. */
  readonly factor: Float64Array | undefined;
}

/**
 * Puts an MLP's neurons in order of importance.
 *
 * @param mlp - weights and observed moments
 * @param scores - importance of each neuron
 * @param compensation - what the remaining neurons do for the removed
 * @param blas - float64 products
 */
export async function orderMlp(
  mlp: MlpObservation,
  scores: Float64Array,
  compensation: Compensation,
  blas: Blas,
): Promise<OrderedMlp> {
  const { neurons, hidden, moments } = mlp;
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const fc2 = fc2InOrder(mlp, order);
  const mean = Float64Array.from(order, (neuron) => moments.mean[neuron]!);
  const covariance = permuted(moments.covariance, neurons, order);

  if (compensation !== 'least-squares') {
    const gram = await gramOf(fc2, neurons, blas);
    const outputVariance = trailingLoss(gram, covariance, neurons)[0]!;
    const second = compensation === 'mean' ? covariance : permuted(secondMomentOf(moments), neurons, order);
    const loss = trailingLoss(gram, second, neurons);
    return {
      ...{ order, loss, outputVariance },
      mean: compensation === 'mean' ? mean : undefined,
      factor: undefined,
    };
  }

  const ridge = ridgeOf(covariance, neurons, moments.rows);
  const factor = await cholesky(withRidge(covariance, neurons, ridge), neurons, blas);
  const projected = await timesLower(fc2, factor, neurons, blas);
  const loss = new Float64Array(neurons + 1);
  for (let column = neurons - 1; column >= 0; column--) {
    let sum = 0;
    for (let r = 0; r < hidden; r++) sum += projected[r * neurons + column]! ** 2;
    loss[column] = loss[column + 1]! + sum;
  }
  // tr(W2·(Σ + λI)·W2ᵀ) without the share of λ; what is left of rounding where no neuron varies is nothing.
  const variance = loss[0]! - ridge * fc2.reduce((sum, w) => sum + w * w, 0);
  const outputVariance = variance > ROUNDING * loss[0]! ? variance : 0;
  return { order, loss, outputVariance, mean, factor };
}

/**
 * The MLP with only the first neurons of an order, compensated.
 *
 * @param mlp - its weights
 * @param ordered - its neurons in order
 * @param width - how many stay
 * @param blas - float64 products
 */
export async function narrowed(
  mlp: MlpWeights,
  { order, mean, factor }: Pick<OrderedMlp, 'order' | 'mean' | 'factor'>,
  width: number,
  blas: Blas,
): Promise<NarrowMlp> {
  const fc2 = fc2InOrder(mlp, order);
  const z = factor && (await expressed(factor, fc2, mlp.neurons, mlp.hidden, width, blas));
  return keepFirst(mlp, order, fc2, width, z, mean);
}

/** W2 with its columns in the order of the neurons, `[hidden, neurons]`. */
function fc2InOrder({ fc2, hidden, neurons }: MlpWeights, order: readonly number[]): Float64Array {
  const out = new Float64Array(hidden * neurons);
  for (let r = 0; r < hidden; r++)
    for (let i = 0; i < neurons; i++) out[r * neurons + i] = fc2[r * neurons + order[i]!]!;
  return out;
}

/**
 * Z = Σ_SS⁻¹ · Σ_SP · W_Pᵀ `[kept, hidden]`, what is added to the kept columns of FC2. In terms of the factor,
 * Σ_SP = L_SS · L_PSᵀ, so that only L_SSᵀ · Z = L_PSᵀ · W_Pᵀ is left to solve.
 */
async function expressed(
  factor: Float64Array,
  fc2: Float64Array,
  neurons: number,
  hidden: number,
  kept: number,
  blas: Blas,
): Promise<Float64Array> {
  const pruned = neurons - kept;
  if (pruned === 0) return new Float64Array(kept * hidden);
  const lSS = new Float64Array(kept * kept);
  for (let i = 0; i < kept; i++) lSS.set(factor.subarray(i * neurons, i * neurons + kept), i * kept);
  // L_PSᵀ · W_Pᵀ = (W_P · L_PS)ᵀ
  const lPS = new Float64Array(pruned * kept);
  for (let p = 0; p < pruned; p++) {
    const row = (kept + p) * neurons;
    lPS.set(factor.subarray(row, row + kept), p * kept);
  }
  const wP = new Float64Array(hidden * pruned);
  for (let r = 0; r < hidden; r++) wP.set(fc2.subarray(r * neurons + kept, (r + 1) * neurons), r * pruned);
  const product = await blas.product(wP, lPS, pruned);
  return solveLowerTransposed(lSS, kept, transposed(product, hidden, kept), hidden, blas);
}

/**
 * The first neurons of the order, W2' = W_S + Zᵀ and b2' = b2 + W_P·μ_P − Zᵀ·μ_S.
 *
 * @param z - `[width, hidden]`; undefined is zero
 * @param mean - of the ordered neurons; undefined leaves the bias alone
 */
function keepFirst(
  mlp: MlpWeights,
  order: readonly number[],
  fc2: Float64Array,
  width: number,
  z: Float64Array | undefined,
  mean: Float64Array | undefined,
): NarrowMlp {
  const { hidden, neurons, parts } = mlp;
  const rows = Array.from(
    { length: parts * width },
    (_, i) => Math.floor(i / width) * neurons + order[i % width]!,
  );
  const fc1 = new Float32Array(rows.length * hidden);
  for (const [i, row] of rows.entries())
    fc1.set(mlp.fc1.subarray(row * hidden, (row + 1) * hidden), i * hidden);
  // Row by row, as FC2 is.
  const additions = z ? transposed(z, width, hidden) : new Float64Array(hidden * width);
  const narrow = new Float64Array(hidden * width);
  const bias = Float64Array.from(mlp.fc2Bias);
  for (let r = 0; r < hidden; r++) {
    for (let i = 0; i < width; i++) {
      const added = additions[r * width + i]!;
      narrow[r * width + i] = fc2[r * neurons + i]! + added;
      if (mean) bias[r]! -= added * mean[i]!;
    }
    if (mean) for (let p = width; p < neurons; p++) bias[r]! += fc2[r * neurons + p]! * mean[p]!;
  }
  return {
    fc1,
    fc1Bias: Float32Array.from(rows, (row) => mlp.fc1Bias[row]!),
    fc2: narrow,
    fc2Bias: bias,
  };
}

/** W2ᵀ · W2, `[neurons, neurons]`. */
async function gramOf(fc2: Float64Array, neurons: number, blas: Blas): Promise<Float64Array> {
  const hidden = fc2.length / neurons;
  const columns = new Float64Array(fc2.length);
  for (let r = 0; r < hidden; r++)
    for (let i = 0; i < neurons; i++) columns[i * hidden + r] = fc2[r * neurons + i]!;
  return blas.productTransposed(columns, columns, hidden);
}

/** tr(W_P · M_PP · W_Pᵀ) for every P that is the neurons from some width on: sums over trailing blocks. */
function trailingLoss(gram: Float64Array, second: Float64Array, neurons: number): Float64Array {
  const loss = new Float64Array(neurons + 1);
  for (let i = neurons - 1; i >= 0; i--) {
    let row = gram[i * neurons + i]! * second[i * neurons + i]!;
    for (let j = i + 1; j < neurons; j++) row += 2 * gram[i * neurons + j]! * second[i * neurons + j]!;
    loss[i] = loss[i + 1]! + row;
  }
  return loss;
}
