import { InputError } from '../base/errors.js';
import type { Size } from '../base/size.js';
import type { TensorSource } from '../onnx/tensor.js';
import { gridOf, headWidth, layerCount, patchCount, type ViTConfig } from './config.js';
import { computed, floats, pickedRows } from './derived.js';

/** How a library turns queries and keys by where patches lie. */
export interface RotaryRule {
  /**
   * What the angles are made of. `index`: the number of a patch from the upper left (EVA-02). `centred`: its centre, from −1 to 1, times
   * 2π (DINOv3). `learned`: its number times frequencies that each block and head has of its own (RoPE-Mixed).
   */
  readonly kind: 'index' | 'centred' | 'learned';
  /** The frequencies of an axis are `temperature ** (-i / count)`. */
  readonly temperature: number;
  /** Added to the number of a patch. */
  readonly offset?: number | undefined;
  /** The grid of patches for which the numbers are meant; others are scaled to it. The image's own unless given. */
  readonly reference?: Size | undefined;
  /** Whether the first frequencies are those of the vertical axis or of the horizontal one. */
  readonly first: 'vertical' | 'horizontal';
  /** Which channels of a head turn into each other: neighbours, or those of its two halves. */
  readonly pairs: 'neighbours' | 'halves';
}

/**
 * The angles of a rule for the patches of an image: `[patches, head size / 2]`.
 *
 * @param rule - none with learned frequencies
 * @param config - the architecture
 */
export function rotaryAngles(rule: RotaryRule, config: ViTConfig): TensorSource {
  const grid = gridOf(config);
  const patches = patchCount(config);
  const count = headWidth(config) / 4;
  return computed([patches, 2 * count], () => {
    const out = new Float32Array(patches * 2 * count);
    for (let at = 0; at < out.length; at++) {
      const [patch, channel] = [Math.floor(at / (2 * count)), at % (2 * count)];
      const vertical = channel < count === (rule.first === 'vertical');
      const place = vertical
        ? placeOf(rule, Math.floor(patch / grid.width), grid.height, rule.reference?.height)
        : placeOf(rule, patch % grid.width, grid.width, rule.reference?.width);
      out[at] = place * rule.temperature ** (-(channel % count) / count);
    }
    return Promise.resolve(out);
  });
}

/** What a frequency of one is multiplied by for the patch with some number along a side of so many. */
function placeOf({ kind, offset = 0 }: RotaryRule, number: number, side: number, reference = side): number {
  if (kind === 'centred') return 2 * Math.PI * ((2 * (number + 0.5 + offset)) / side - 1);
  return ((number + offset) * reference) / side;
}

/**
 * The angles of a block whose frequencies are learned: `[heads, patches, head size / 2]`.
 *
 * @param frequencies - `[2, blocks, heads, head size / 2]`: horizontal ones, then vertical ones
 * @param config - the architecture
 * @param layer - which block
 */
export function learnedAngles(frequencies: TensorSource, config: ViTConfig, layer: number): TensorSource {
  const { width } = gridOf(config);
  const patches = patchCount(config);
  const { heads } = config;
  const half = headWidth(config) / 2;
  const blocks = layerCount(config);
  return computed([heads, patches, half], async () => {
    const values = await floats(frequencies);
    const frequency = (axis: number, head: number, channel: number): number =>
      values[((axis * blocks + layer) * heads + head) * half + channel] ?? 0;
    const out = new Float32Array(heads * patches * half);
    for (let at = 0; at < out.length; at++) {
      const [head, patch, channel] = [
        Math.floor(at / (patches * half)),
        Math.floor(at / half) % patches,
        at % half,
      ];
      const [x, y] = [patch % width, Math.floor(patch / width)];
      out[at] = x * frequency(0, head, channel) + y * frequency(1, head, channel);
    }
    return out;
  });
}

/**
 * A model's weights with the channels of queries and keys in another order, so that those which turn into each other lie in the two
 * halves of a head and not side by side. Their products, and so the scores, stay the same.
 *
 * @param weights - of a model whose neighbours turn into each other
 * @param config - the architecture
 */
export function withHalves(
  weights: ReadonlyMap<string, TensorSource>,
  config: ViTConfig,
): Map<string, TensorSource> {
  const width = headWidth(config);
  const ofHead = Array.from(
    { length: width },
    (_, to) => 2 * (to % (width / 2)) + Math.floor((2 * to) / width),
  );
  const ofAll = Int32Array.from({ length: config.heads * width }, (_, to) => {
    const head = Math.floor(to / width);
    return head * width + (ofHead[to % width] ?? 0);
  });
  return new Map(
    [...weights].map(([name, tensor]) => {
      if (/\.[qk]\.(weight|bias)$/.test(name)) return [name, pickedRows(tensor, ofAll)];
      if (/\.[qk]_norm\.(weight|bias)$/.test(name))
        return [name, pickedRows(tensor, Int32Array.from(ofHead))];
      return [name, tensor];
    }),
  );
}

/**
 * Refuses heads that no rule turns: two axes of pairs take four channels.
 *
 * @param source - where the sizes are from
 * @param config - the architecture
 * @throws InputError when a head's width is no multiple of four
 */
export function checkRotaryHeads(source: string, config: ViTConfig): void {
  const width = headWidth(config);
  if (width % 4 === 0) return;
  throw new InputError({
    source,
    place: 'number of attention heads',
    found: `${config.heads}, each ${width} wide`,
    expected: 'heads whose width is a multiple of four, for rotary positions',
  });
}
