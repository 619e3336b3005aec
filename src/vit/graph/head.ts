import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, gather, gemm, reshape } from '../../onnx/ops.js';
import { tensorOf } from '../../onnx/tensor.js';
import { layerCount, tokensAt } from '../config.js';
import type { ViT } from '../vit.js';
import { emitNorm } from './block.js';
import { floatConstant, matrixConstant } from './constants.js';

/** Name of a model's output. */
export const OUTPUT = 'logits';

/**
 * Adds the classifier: the features and the head.
 *
 * @param g - the graph
 * @param vit - the model
 * @param residual - `[batch·tokens, hidden]`
 * @returns `[batch, classes]`
 */
export function emitHead(g: GraphBuilder, vit: ViT, residual: Value): Value {
  const features = emitFeatures(g, vit, residual);
  return gemm(g, OUTPUT, features, matrixConstant(g, vit, 'head.weight'), floatConstant(g, vit, 'head.bias'));
}

/**
 * Adds what the head reads: the class token (and behind it the distillation token, where there is one) after the last
 * LayerNorm. The norm is taken after the tokens are picked, since no other token reaches the head.
 *
 * @param g - the graph
 * @param vit - the model
 * @param residual - `[batch·tokens, hidden]`
 * @returns `[batch, hidden]`, or `[batch, 2·hidden]`
 */
export function emitFeatures(g: GraphBuilder, vit: ViT, residual: Value): Value {
  const { config } = vit;
  const { hiddenSize } = config;
  const sequence = reshape(g, 'tokens:last', residual, [
    batch,
    tokensAt(config, layerCount(config)),
    hiddenSize,
  ]);
  if (!config.distilled) {
    const first = g.constant('class_token:index', tensorOf('int64', [], new BigInt64Array(1)));
    return emitNorm(g, vit, 'norm', gather(g, 'class_token', sequence, first, 1));
  }
  const both = asMatrix(g, 'class_tokens:rows', gather(g, 'class_tokens', sequence, g.indices([0, 1]), 1));
  return reshape(g, 'features', emitNorm(g, vit, 'norm', both), [batch, 2 * hiddenSize]);
}
