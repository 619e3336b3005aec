import type { ViTConfig } from '../../vit/config.js';
import { linearWidths } from '../../vit/linears.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import { floatEntry, floatsOf } from '../weights.js';
import type { ChannelTransform } from './value.js';

/**
 * Where a channel transform can be folded into what produces the value, and who reads it:
 *
 * - `attention`: norm1 → q, k, v
 * - `mlp`: norm2 → fc1
 * - `context`: v → o. Each row of a softmax sums to 1, so that a shift and a scale of v's channels pass through attention. Where a
 *   LayerNorm stands behind attention, that norm → o.
 */
export const foldGroups = ['attention', 'context', 'mlp'] as const;

export type FoldGroup = (typeof foldGroups)[number];

/**
 * The groups of a model: where the LayerNorms stand behind the branches, attention and MLP read the residual stream itself, which nothing can be
 * folded into.
 */
export function foldGroupsOf({ resPostNorm = false }: ViTConfig): readonly FoldGroup[] {
  return resPostNorm ? ['context'] : foldGroups;
}

/** The linears that read a group's value. */
export const readersOf = {
  attention: ['q', 'k', 'v'],
  context: ['o'],
  mlp: ['fc1'],
} as const satisfies Record<FoldGroup, readonly string[]>;

/**
 * Folds a channel transform into a block, leaving the function that the block computes as it is:
 * the producer's weights are divided by the scale, its bias (shifted) too, and the readers take it back with
 * W' = W · diag(scale), b' = b + W · shift (RepQ-ViT, arXiv 2212.08254, eq. 9–12; SmoothQuant, arXiv 2211.10438, eq. 3).
 *
 * @param vit - a float model
 * @param layer - which block
 * @param group - where in the block
 * @param transform - one scale and shift for each channel
 */
export async function fold(
  vit: ViT,
  layer: number,
  group: FoldGroup,
  transform: ChannelTransform,
): Promise<ViT> {
  const at = `layers.${layer}`;
  const norm = { attention: 'norm1', mlp: 'norm2', context: vit.config.attentionNorm && 'attention_norm' }[
    group
  ];
  const produced = norm
    ? await dividedNorm(vit, `${at}.${norm}`, transform)
    : await dividedLinear(vit, `${at}.v`, vit.config.hiddenSize, transform);
  // The readers' biases are taken from the model as it was: v both reads one group and produces the next.
  let folded = withWeights(vit, produced);
  for (const role of readersOf[group]) {
    const [inputs, outputs] = linearWidths(vit.config, layer, role);
    const name = `${at}.${role}`;
    const weight = await floatsOf(folded, `${name}.weight`);
    const bias = Float64Array.from(await floatsOf(folded, `${name}.bias`));
    const scaled = new Float64Array(weight.length);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const w = weight[o * inputs + i]!;
        scaled[o * inputs + i] = w * transform.scale[i]!;
        bias[o]! += w * transform.shift[i]!;
      }
    }
    folded = withWeights(folded, [
      floatEntry(vit, `${name}.weight`, [outputs, inputs], scaled),
      floatEntry(vit, `${name}.bias`, [outputs], bias),
    ]);
  }
  return folded;
}

type Entries = ReturnType<typeof floatEntry>[];

/** γ' = γ / scale, β' = (β − shift) / scale. */
async function dividedNorm(vit: ViT, name: string, { scale, shift }: ChannelTransform): Promise<Entries> {
  const gamma = await floatsOf(vit, `${name}.weight`);
  const beta = await floatsOf(vit, `${name}.bias`);
  return [
    floatEntry(
      vit,
      `${name}.weight`,
      [gamma.length],
      Float64Array.from(gamma, (g, c) => g / scale[c]!),
    ),
    floatEntry(
      vit,
      `${name}.bias`,
      [beta.length],
      Float64Array.from(beta, (b, c) => (b - shift[c]!) / scale[c]!),
    ),
  ];
}

/** W' = diag(1 / scale) · W, b' = (b − shift) / scale. */
async function dividedLinear(
  vit: ViT,
  name: string,
  inputs: number,
  { scale, shift }: ChannelTransform,
): Promise<Entries> {
  const weight = await floatsOf(vit, `${name}.weight`);
  const bias = await floatsOf(vit, `${name}.bias`);
  const outputs = bias.length;
  const divided = Float64Array.from(weight).map((w, index) => w / scale[Math.floor(index / inputs)]!);
  return [
    floatEntry(vit, `${name}.weight`, [outputs, inputs], divided),
    floatEntry(
      vit,
      `${name}.bias`,
      [outputs],
      Float64Array.from(bias, (b, o) => (b - shift[o]!) / scale[o]!),
    ),
  ];
}
