import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { gather, gemm, reshape } from '../../onnx/ops.js';
import { tensorOf } from '../../onnx/tensor.js';
import { layerCount, tokensAt } from '../config.js';
import type { ViT } from '../vit.js';
import { emitNorm } from './block.js';
import { floatConstant, matrixConstant } from './constants.js';

/** Name of a model's output. */
export const OUTPUT = 'logits';

/**
 * Adds the classifier: the class token, its LayerNorm and the head. The norm is taken after the token is picked, since
 * no other token reaches the head.
 *
 * @param g - the graph
 * @param vit - the model
 * @param residual - `[batch·tokens, hidden]`
 * @returns `[batch, classes]`
 */
export function emitHead(g: GraphBuilder, vit: ViT, residual: Value): Value {
  const sequence = reshape(g, 'tokens:last', residual, [
    batch,
    tokensAt(vit.config, layerCount(vit.config)),
    vit.config.hiddenSize,
  ]);
  const first = g.constant('class_token:index', tensorOf('int64', [], new BigInt64Array(1)));
  const token = gather(g, 'class_token', sequence, first, 1);
  const weight = matrixConstant(g, vit, 'head.weight');
  return gemm(g, OUTPUT, emitNorm(g, vit, 'norm', token), weight, floatConstant(g, vit, 'head.bias'));
}
