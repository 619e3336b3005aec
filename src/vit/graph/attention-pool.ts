import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, binary, gemm, matMul, reshape, softmax, transpose, unary } from '../../onnx/ops.js';
import type { ViT } from '../vit.js';
import { emitActivation } from './activation.js';
import { floatConstant, matrixConstant } from './constants.js';
import { emitNorm } from './norm.js';

/**
 * Adds pooling by attention: each head weighs the tokens by their product with a vector of its own, what the query makes of the
 * projection of the keys (their bias is the same for all tokens, which a softmax does not see); an MLP stands behind.
 *
 * @param g - the graph
 * @param vit - the model
 * @param tokens - `[batch, count, hidden]`
 * @param sizes - `[batch, count, 1]`: how many each stands for; undefined while every token stands for itself
 * @param on - whose kernels are to run it
 * @returns `[batch, hidden]`
 */
export function emitAttentionPool(
  g: GraphBuilder,
  vit: ViT,
  tokens: Value,
  sizes: Value | undefined,
  on: 'cpu' | 'webgpu',
): Value {
  const { hiddenSize, heads: ofBlocks, poolHeads: heads = ofBlocks } = vit.config;
  const count = tokens.dims[1] as number;
  const linear = (layer: string, x: Value): Value => {
    const weight = matrixConstant(g, vit, `pool.${layer}.weight`);
    return gemm(g, `pool.${layer}`, x, weight, floatConstant(g, vit, `pool.${layer}.bias`));
  };
  const rows = asMatrix(g, 'pool:rows', tokens);
  const products = gemm(g, 'pool:products', rows, matrixConstant(g, vit, 'pool.scores'));
  const byToken = reshape(g, 'pool:by_token', products, [batch, count, heads]);
  const scores = transpose(g, 'pool:scores', byToken, [0, 2, 1]);
  const shares = softmax(g, 'pool:shares', sizes ? weighed(scores, sizes) : scores);
  const values = reshape(g, 'pool:values', linear('v', rows), [batch, count, heads, hiddenSize / heads]);
  const mixed = matMul(
    g,
    'pool:mixed',
    reshape(g, 'pool:rows_of_shares', shares, [batch, heads, 1, count]),
    transpose(g, 'pool:by_head', values, [0, 2, 1, 3]),
  );
  const pooled = linear('o', reshape(g, 'pool:context', mixed, [batch, hiddenSize]));
  const hidden = linear('fc1', emitNorm(g, vit, 'pool.norm', pooled));
  const mlp = linear('fc2', emitActivation(g, 'pool', vit.config, hidden, on));
  return binary(g, 'Add', 'pool', pooled, mlp);

  function weighed(plain: Value, counts: Value): Value {
    const row = reshape(g, 'pool:log_sizes', unary(g, 'Log', 'pool:log', counts), [batch, 1, count]);
    return binary(g, 'Add', 'pool:weighed', plain, row);
  }
}
