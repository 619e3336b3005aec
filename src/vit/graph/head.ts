import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { gemm, reshape } from '../../onnx/ops.js';
import { leadingTokens } from '../config.js';
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
 * @param leading - `[batch·leading, hidden]`: the tokens that the head reads
 * @returns `[batch, classes]`
 */
export function emitHead(g: GraphBuilder, vit: ViT, leading: Value): Value {
  const features = emitFeatures(g, vit, leading);
  return gemm(g, OUTPUT, features, matrixConstant(g, vit, 'head.weight'), floatConstant(g, vit, 'head.bias'));
}

/**
 * Adds what the head reads: the class token (and behind it the distillation token, where there is one) after the last
 * LayerNorm.
 *
 * @param g - the graph
 * @param vit - the model
 * @param leading - `[batch·leading, hidden]`: the tokens that the head reads
 * @returns `[batch, hidden]`, or `[batch, 2·hidden]`
 */
export function emitFeatures(g: GraphBuilder, vit: ViT, leading: Value): Value {
  const norm = emitNorm(g, vit, 'norm', leading);
  const width = leadingTokens(vit.config) * vit.config.hiddenSize;
  return reshape(g, 'features', norm, [batch, width]);
}
