import { defined } from '../../base/defined.js';
import type { Blas } from '../linalg/blas.js';
import { cholesky, inverseDiagonal } from '../linalg/cholesky.js';
import { ridgeOf, withRidge } from '../linalg/covariance.js';
import type { MlpObservation } from './mlp.js';
import type { Importance } from './options.js';

/**
 * What each hidden neuron of an MLP is worth; neurons with the least go first. With x what the neuron gives to FC2,
 * w1 its row of FC1 (both rows, with SwiGLU) and w2 its column of FC2:
 *
 * - `magnitude`: ‖w1‖² + ‖w2‖², the group norm of structured magnitude pruning
 * - `activation`: E|x|, the criterion of EdgeFlex-Transformer (arXiv 2512.19741)
 * - `variance`: Var(x), variance-based pruning (arXiv 2507.12988)
 * - `wanda`: ‖w2‖₁ · √E[x²], Wanda summed over a neuron (arXiv 2306.11695, eq. 1)
 * - `flap`: Var(x) · ‖w2‖², FLAP's fluctuation metric (arXiv 2312.11983, eq. 5)
 * - `obs`: ‖w2‖² / [(Σ + λI)⁻¹]ᵢᵢ, the loss of removing the neuron when all the others make up for it: the optimal brain
 *   surgeon on the centred covariance (Hassibi & Stork 1993; ZipLM, arXiv 2302.04089)
 *
 * @param kind - which of them
 * @param mlp - the weights and what was observed of the neurons
 * @param blas - for `obs`
 * @returns one score for each neuron
 */
export async function importanceOf(kind: Importance, mlp: MlpObservation, blas: Blas): Promise<Float64Array> {
  const { neurons, moments, meanAbs } = mlp;
  const scores = (score: (neuron: number) => number): Float64Array =>
    Float64Array.from({ length: neurons }, (_, neuron) => score(neuron));
  const variance = (i: number): number => moments.covariance[i * neurons + i]!;
  const meanSquare = (i: number): number => variance(i) + moments.mean[i]! ** 2;
  switch (kind) {
    case 'magnitude':
      return scores((i) => rowNorm(mlp, i) + columnNorm(mlp, i));
    case 'activation':
      return defined(meanAbs, 'the mean absolute values of the neurons');
    case 'variance':
      return scores(variance);
    case 'wanda':
      return scores((i) => columnAbs(mlp, i) * Math.sqrt(meanSquare(i)));
    case 'flap':
      return scores((i) => variance(i) * columnNorm(mlp, i));
    case 'obs': {
      const { covariance } = moments;
      const ridge = ridgeOf(covariance, neurons, moments.rows);
      const factor = await cholesky(withRidge(covariance, neurons, ridge), neurons, blas);
      const inverse = await inverseDiagonal(factor, neurons, blas);
      return scores((i) => columnNorm(mlp, i) / inverse[i]!);
    }
  }
}

/** Squared length of a neuron's rows of FC1. */
function rowNorm({ fc1, hidden, neurons, parts }: MlpObservation, neuron: number): number {
  let sum = 0;
  for (let part = 0; part < parts; part++)
    for (let c = 0; c < hidden; c++) sum += fc1[(part * neurons + neuron) * hidden + c]! ** 2;
  return sum;
}

/** Squared length of a neuron's column of FC2. */
function columnNorm({ fc2, hidden, neurons }: MlpObservation, neuron: number): number {
  let sum = 0;
  for (let r = 0; r < hidden; r++) sum += fc2[r * neurons + neuron]! ** 2;
  return sum;
}

/** Sum of the absolute values of a neuron's column of FC2. */
function columnAbs({ fc2, hidden, neurons }: MlpObservation, neuron: number): number {
  let sum = 0;
  for (let r = 0; r < hidden; r++) sum += Math.abs(fc2[r * neurons + neuron]!);
  return sum;
}
