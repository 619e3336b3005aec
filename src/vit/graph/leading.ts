import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, gather, reshape } from '../../onnx/ops.js';
import { tokensRead, type ViTConfig } from '../config.js';

/**
 * Picks the tokens that a head which reads no mean reads: the class token, and behind it the distillation token where there is one.
 *
 * @param g - the graph
 * @param name - of the result, and prefix of the nodes
 * @param config - the architecture
 * @param rows - `[batch·tokens, hidden]`
 * @param tokens - how many of them an image has
 * @returns `[batch·leading, hidden]`
 */
export function emitLeading(
  g: GraphBuilder,
  name: string,
  config: ViTConfig,
  rows: Value,
  tokens: number,
): Value {
  const sequence = reshape(g, `${name}:from`, rows, [batch, tokens, config.hiddenSize]);
  const places = Array.from({ length: tokensRead(config) }, (_, token) => token);
  return asMatrix(g, name, gather(g, `${name}:sequence`, sequence, g.indices(places), 1));
}
