import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { layerNormalization } from '../../onnx/ops.js';
import type { ViT } from '../vit.js';
import { floatConstant } from './constants.js';

/**
 * Adds a LayerNorm with the constants of that name.
 *
 * @param x - `[…, width]`
 */
export function emitNorm(g: GraphBuilder, vit: ViT, name: string, x: Value): Value {
  const scale = floatConstant(g, vit, `${name}.weight`);
  const shift = floatConstant(g, vit, `${name}.bias`);
  return layerNormalization(g, name, x, scale, shift, vit.config.layerNormEpsilon);
}
