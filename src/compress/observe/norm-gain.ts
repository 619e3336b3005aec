import { binary, reduce, transpose } from '../../onnx/ops.js';
import { scalar } from '../../onnx/tensor.js';
import { numbers, type Tap } from './taps.js';

const GAIN = 'tap:residual:gain';

/**
 * Observes by how much a LayerNorm behind a block would magnify a squared error of the residual stream there: the mean over all
 * tokens of 1 / (σ² + ε), with σ² the variance of a token's channels (Ba, Kiros & Hinton, "Layer Normalization", arXiv 1607.06450).
 *
 * @param epsilon - of the model's LayerNorms
 * @param weights - how much each token of a batch counts, one on average; all alike unless given
 */
export function normGainTap(epsilon: number, weights?: Float32Array): Tap<number> {
  const name = (what: string): string => `tap:residual:${what}`;
  let sum = 0;
  let tokens = 0;
  return {
    emit(g, { residual }) {
      const columns = transpose(g, name('columns'), residual, [1, 0]);
      const mean = reduce(g, 'ReduceMean', name('mean'), columns, [0]);
      const centred = binary(g, 'Sub', name('centred'), columns, mean);
      const square = binary(g, 'Mul', name('square'), centred, centred);
      const variance = reduce(g, 'ReduceMean', name('variance'), square, [0]);
      const spread = binary(g, 'Add', name('spread'), variance, g.constant(name('epsilon'), scalar(epsilon)));
      return [binary(g, 'Pow', GAIN, spread, g.constant(name('exponent'), scalar(-1)))];
    },
    add(outputs) {
      for (const [token, gain] of numbers(outputs, GAIN).entries()) sum += gain * (weights?.[token] ?? 1);
      tokens += numbers(outputs, GAIN).length;
    },
    result() {
      if (tokens === 0) throw new Error('nothing was observed behind the block');
      return sum / tokens;
    },
  };
}
