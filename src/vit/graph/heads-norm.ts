import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { reshape } from '../../onnx/ops.js';
import { attentionWidth } from '../config.js';
import type { ViT } from '../vit.js';
import { emitNorm } from './norm.js';

/**
 * Adds the LayerNorm that queries or keys pass through in a model that has them, the same one for each head.
 *
 * @param g - the graph
 * @param vit - the model
 * @param layer - which block
 * @param role - whose
 * @param x - `[batch·rows, heads · size]`, float32
 * @param rows - how many of an image
 * @returns of the same shape
 */
export function emitHeadsNorm(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  role: 'q' | 'k',
  x: Value,
  rows: number,
): Value {
  if (!vit.config.queryKeyNorms) return x;
  const { heads } = vit.config;
  const width = attentionWidth(vit.config);
  const name = `layers.${layer}.${role}_norm`;
  const byHead = reshape(g, `${name}:heads`, x, [batch, rows, heads, width / heads]);
  return reshape(g, `${name}:rows`, emitNorm(g, vit, name, byHead), [{ perBatch: rows }, width]);
}
