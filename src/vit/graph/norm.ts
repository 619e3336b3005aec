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

/** Adds the LayerNorm of a branch of a block before it; what comes in, where the model has it behind. */
export function emitNormBefore(g: GraphBuilder, vit: ViT, name: string, x: Value): Value {
  return vit.config.resPostNorm ? x : emitNorm(g, vit, name, x);
}

/** Adds the LayerNorm of a branch of a block behind it; what the branch gives, where the model has it before. */
export function emitNormBehind(g: GraphBuilder, vit: ViT, name: string, x: Value): Value {
  return vit.config.resPostNorm ? emitNorm(g, vit, name, x) : x;
}
