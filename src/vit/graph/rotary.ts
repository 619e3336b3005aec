import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { binary, concat, halves, reshape } from '../../onnx/ops.js';
import type { TensorSource } from '../../onnx/tensor.js';
import { attentionWidth, headWidth, prefixTokens, type ViTConfig } from '../config.js';
import { computed, floats } from '../derived.js';
import { weightOf, type ViT } from '../vit.js';

/**
 * Adds the rotation of queries or keys by angles that depend on where a patch lies (arXiv 2104.09864): of each head the first half
 * of the channels, a, and the second, b, become `a · cos − b · sin` and `b · cos + a · sin`. Tokens before the patches have the angle
 * zero. In plain products, which every provider has kernels for; cosines and sines are constants.
 *
 * @param g - the graph
 * @param vit - a model none of whose tokens are merged
 * @param layer - which block
 * @param role - whose
 * @param x - `[batch·rows, heads · size]`, float32
 * @param rows - how many of an image, the first of all its tokens
 * @returns of the same shape; x itself in a model without rotary positions, and where no patch is among the rows
 */
export function emitRotary(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  role: 'q' | 'k',
  x: Value,
  rows: number,
): Value {
  const { config } = vit;
  if (config.rotary === undefined || rows <= prefixTokens(config)) return x;
  if (config.merges !== undefined) throw new Error('merged tokens lie nowhere');
  const { heads } = config;
  const name = `layers.${layer}.${role}_rotary`;
  const of = config.rotary === 'shared' ? 'rotary' : `layers.${layer}.rotary`;
  const turned = (what: 'cos' | 'sin'): Value =>
    g.constant(`${of}:${what}:${rows}`, turns(vit.config, weightOf(vit, of), what, rows));
  const [cos, sin] = [turned('cos'), turned('sin')];
  const byHead = reshape(g, `${name}:heads`, x, [batch, rows, heads, headWidth(config)]);
  const [a, b] = halves(g, name, byHead);
  const product = (what: string, part: Value, by: Value): Value =>
    binary(g, 'Mul', `${name}:${what}`, part, by);
  const first = binary(g, 'Sub', `${name}:turned_a`, product('a_cos', a, cos), product('b_sin', b, sin));
  const second = binary(g, 'Add', `${name}:turned_b`, product('b_cos', b, cos), product('a_sin', a, sin));
  const both = concat(g, `${name}:both`, [first, second], 3);
  return reshape(g, name, both, [{ perBatch: rows }, attentionWidth(config)]);
}

/** Made once for all blocks with the same angles, so that a graph holds them once. */
const known = new WeakMap<TensorSource, Map<string, TensorSource>>();

/**
 * Cosines or sines of the angles, token by token.
 *
 * @param angles - `[patches, size / 2]`, or `[heads, patches, size / 2]`
 * @returns `[1, rows, 1 or heads, size / 2]`
 */
function turns(config: ViTConfig, angles: TensorSource, what: 'cos' | 'sin', rows: number): TensorSource {
  const ofAngles = known.get(angles) ?? new Map<string, TensorSource>();
  known.set(angles, ofAngles);
  const key = `${what} ${rows}`;
  const found = ofAngles.get(key);
  if (found) return found;
  const prefix = prefixTokens(config);
  const [patches = 0, half = 0] = angles.dims.slice(-2);
  const heads = angles.dims.length === 3 ? config.heads : 1;
  const made = computed([1, rows, heads, half], async () => {
    const values = await floats(angles);
    const out = new Float32Array(rows * heads * half);
    for (let at = 0; at < out.length; at++) {
      const [row, head, channel] = [
        Math.floor(at / (heads * half)),
        Math.floor(at / half) % heads,
        at % half,
      ];
      const angle = row < prefix ? 0 : (values[(head * patches + row - prefix) * half + channel] ?? 0);
      out[at] = Math[what](angle);
    }
    return out;
  });
  ofAngles.set(key, made);
  return made;
}
