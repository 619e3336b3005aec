import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { slice } from '../../onnx/index-ops.js';
import { binary, concat, gemm, reduce, reshape } from '../../onnx/ops.js';
import { scalar } from '../../onnx/tensor.js';
import { patchCount, pooledWidth, prefixTokens, tokenCount, tokensRead } from '../config.js';
import type { ViT } from '../vit.js';
import { emitAttentionPool } from './attention-pool.js';
import { floatConstant, matrixConstant } from './constants.js';
import type { Tokens } from './merge.js';
import { emitNorm } from './norm.js';

/** Name of a model's output. */
export const OUTPUT = 'logits';

/**
 * Adds the classifier: the features and the head; of a model without classes the features alone.
 *
 * @param g - the graph
 * @param vit - the model
 * @param read - the tokens that the head reads, as they leave the last block
 * @param on - whose kernels are to run it
 * @returns `[batch, classes]`, or `[batch, width of the features]`
 */
export function emitHead(g: GraphBuilder, vit: ViT, read: Tokens, on: 'cpu' | 'webgpu' = 'cpu'): Value {
  const features = emitFeatures(g, vit, read, on);
  if (vit.config.labels.length === 0) return features;
  return gemm(g, OUTPUT, features, matrixConstant(g, vit, 'head.weight'), floatConstant(g, vit, 'head.bias'));
}

/**
 * Adds what the classifier reads: the class token (and behind it the distillation token, where there is one), a mean of tokens, or
 * both, behind the last LayerNorm, projected where the model does that. A token that others were merged into weighs in a mean as much as all
 * of them.
 *
 * @param g - the graph
 * @param vit - the model
 * @param read - the tokens that the head reads, as they leave the last block
 * @param on - whose kernels are to run it
 * @returns `[batch, width of the features]`
 */
function emitFeatures(
  g: GraphBuilder,
  vit: ViT,
  { residual, sizes }: Tokens,
  on: 'cpu' | 'webgpu' = 'cpu',
): Value {
  const { config } = vit;
  const { pooling = 'class', lastNorm = 'tokens', hiddenSize } = config;
  const normed = lastNorm === 'tokens' ? emitNorm(g, vit, 'norm', residual) : residual;
  const pooled = pool();
  const features = lastNorm === 'pooled' ? emitNorm(g, vit, 'norm', pooled) : pooled;
  if (config.projection === undefined) return features;
  return gemm(g, 'projected', features, matrixConstant(g, vit, 'projection.weight'));

  function pool(): Value {
    const tokens = tokensRead(config);
    const prefix = prefixTokens(config);
    if (pooling === 'class') return reshape(g, 'features', normed, [batch, pooledWidth(config)]);
    const sequence = reshape(g, 'read', normed, [batch, tokens, hiddenSize]);
    switch (pooling) {
      case 'tokens':
        return mean('features', sequence, 0, tokens, tokenCount(config));
      case 'patches':
        return mean('features', sequence, prefix, tokens, patchCount(config));
      case 'tokens-attention':
        return attended(sequence, 0, tokens);
      case 'patches-attention':
        return attended(sequence, prefix, tokens);
      case 'class-patches': {
        const classToken = reshape(g, 'features:class', slice(g, 'read:class', sequence, 1, 0, 1), [
          batch,
          hiddenSize,
        ]);
        const patches = mean('features:patches', sequence, prefix, tokens, patchCount(config));
        return concat(g, 'features', [classToken, patches], 1);
      }
    }
  }

  /** Tokens `from` to `to`, pooled by attention. */
  function attended(sequence: Value, from: number, to: number): Value {
    const part = (what: string, x: Value): Value => (from === 0 ? x : slice(g, what, x, 1, from, to));
    return emitAttentionPool(g, vit, part('read:pooled', sequence), sizes && part('sizes:pooled', sizes), on);
  }

  /** The mean of tokens `from` to `to`, which stand for so many in all. */
  function mean(name: string, sequence: Value, from: number, to: number, count: number): Value {
    const part = (what: string, x: Value): Value => (from === 0 ? x : slice(g, what, x, 1, from, to));
    const some = part(`${name}:read`, sequence);
    if (sizes === undefined) return reduce(g, 'ReduceMean', name, some, [1]);
    const weighted = binary(g, 'Mul', `${name}:weighted`, some, part(`${name}:sizes`, sizes));
    const sum = reduce(g, 'ReduceSum', `${name}:sum`, weighted, [1]);
    return binary(g, 'Div', name, sum, g.constant(`${name}:count`, scalar(count)));
  }
}
