import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { gather, reshape } from '../../onnx/ops.js';
import { tensorOf, type TensorSource } from '../../onnx/tensor.js';
import { gridOf, prefixTokens, relativeDistances, tokenCount, type ViTConfig } from '../config.js';
import type { ViT } from '../vit.js';
import { floatConstant } from './constants.js';

/**
 * Adds what relative positions add to the scores of attention (BEiT, arXiv 2106.08254): of each head one number for each distance.
 * The numbers are picked from the table by constant indices, so that the file keeps the table and a runtime picks while it loads. With
 * it, attention takes longer: kernels that hold no scores take no bias.
 *
 * @param g - the graph
 * @param vit - a model with at most one token before the patches, none of its tokens merged
 * @param layer - which block
 * @param asking - how many tokens, the first of all, get new values
 * @returns `[1, heads, asking, tokens]`; undefined for a model without relative positions
 */
export function emitRelativePositions(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  asking: number,
): Value | undefined {
  const { config } = vit;
  if (!config.relativePositions) return undefined;
  if (config.merges !== undefined || prefixTokens(config) > 1)
    throw new Error('relative positions are those of at most one token and all patches');
  const tokens = tokenCount(config);
  const name = `layers.${layer}.distances`;
  const places = g.constant(`distances:${asking}`, placesOf(config, asking));
  const picked = gather(g, `${name}:picked`, floatConstant(g, vit, name), places, 1);
  return reshape(g, `${name}:bias`, picked, [1, config.heads, asking, tokens]);
}

/** Made once for all blocks, so that a graph holds them once. */
const known = new WeakMap<ViTConfig, Map<number, TensorSource>>();

/** Which number of a head's stands for two tokens: int32 `[asking, tokens]`. */
function placesOf(config: ViTConfig, asking: number): TensorSource {
  const ofModel = known.get(config) ?? new Map<number, TensorSource>();
  known.set(config, ofModel);
  const tokens = tokenCount(config);
  const made = ofModel.get(asking) ?? tensorOf('int32', [asking, tokens], distances(config, asking));
  ofModel.set(asking, made);
  return made;
}

/**
 * Which number of a head's stands for two tokens.
 *
 * @param config - with a class token alone before the patches
 * @param asking - how many tokens, the first of all, get new values
 * @returns `[asking, tokens]`
 */
export function distances(config: ViTConfig, asking: number): Int32Array {
  const { height, width } = gridOf(config);
  const tokens = tokenCount(config);
  const count = relativeDistances(config);
  const prefix = prefixTokens(config);
  return Int32Array.from({ length: asking * tokens }, (_, at) => {
    const [from, to] = [Math.floor(at / tokens), at % tokens];
    if (from < prefix) return to < prefix ? count - 1 : count - 3;
    if (to < prefix) return count - 2;
    const down = Math.floor((from - prefix) / width) - Math.floor((to - prefix) / width);
    const right = ((from - prefix) % width) - ((to - prefix) % width);
    return (down + height - 1) * (2 * width - 1) + right + width - 1;
  });
}
