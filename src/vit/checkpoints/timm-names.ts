import { sizeOf } from '../../base/size.js';
import type { RotaryRule } from '../rotary.js';

/** Attention heads of timm's architectures, by the size in their names (timm's `vision_transformer.py`, `deit.py`, `eva.py`). */
const HEADS: Readonly<Record<string, number>> = {
  ...{ tiny: 3, wee: 4, xsmall: 4, little: 5, small: 6, medium: 8, mediumd: 8, betwixt: 10, base: 12 },
  ...{ so150m2: 13, so150m: 14, large: 16, huge: 16, giant: 16, giantopt: 16, gigantic: 16, so400m: 16 },
  ...{ intern300m: 16, enormous: 16, '7b': 32 },
};

/** The sizes whose heads are known. */
export const sizes = Object.keys(HEADS);

/** What the names of the architectures begin with. */
export const families = ['vit', 'deit', 'deit3', 'beit', 'beitv2', 'beit3', 'eva', 'eva02', 'flexivit'];

/** Heads that differ from those of the size, by a part of the name. */
const OTHER_HEADS: readonly (readonly [RegExp, number])[] = [
  [/^vit_base_.*plus/, 14],
  [/^vit_huge_plus_/, 20],
  [/^vit_base_patch16_gap_224$/, 16],
  [/^vit_giant_patch14_.*(dinov2|tipsv2)$|^vit_giant_patch16_(radio|lingbot)/, 24],
  [/^test_vit2?$/, 2],
  [/^test_vit(3|_relpos)$/, 3],
];

/** Parts of an architecture's name, behind its size, whose meaning is read here or shown by tensors. */
const KNOWN_PART =
  /^(patch\d+|\d+|plus|miil|distilled|dinov[23]|qkvb|lingbot|tipsv2|36x1|clip|quickgelu|siglip|gap|map|radio|v\d|reg\d|rope|ape|mixed|cls|clsgap|rpn)$/;

/**
 * How many heads an architecture of timm has whose parts are known.
 *
 * @param architecture - its name
 * @returns undefined for any other
 */
export function headsOf(architecture: string): number | undefined {
  const plain = architecture.replace(/^vit_(pe_(core|lang|spatial)|s?relpos)_/, 'vit_');
  const other = OTHER_HEADS.find(([pattern]) => pattern.test(plain))?.[1];
  if (/^test_vit/.test(architecture)) return other;
  const [, family = '', size = '', rest] = /^([a-z0-9]+?)_([a-z0-9]+?)(?:_(.+))?$/.exec(plain) ?? [];
  if (!families.includes(family)) return undefined;
  const known =
    rest === undefined ? family === 'flexivit' : rest.split('_').every((part) => KNOWN_PART.test(part));
  return known && Object.hasOwn(HEADS, size) ? (other ?? HEADS[size]) : undefined;
}

/** What may be said of rotary positions beside an architecture's name. */
interface RotarySettings {
  readonly use_rot_pos_emb?: boolean | undefined;
  readonly rope_type?: 'cat' | 'dinov3' | 'mixed' | null | undefined;
  readonly rope_temperature?: number | undefined;
  readonly rope_grid_offset?: number | undefined;
  readonly rope_grid_indexing?: 'ij' | 'xy' | undefined;
  readonly rope_rotate_half?: boolean | undefined;
  readonly ref_feat_shape?: number | readonly [number, number] | null | undefined;
}

/** What the architectures with rotary positions give timm's `Eva`, by their names. */
const ROTARY: readonly (readonly [RegExp, RotarySettings])[] = [
  [/_dinov3|_lingbot$/, { rope_type: 'dinov3', rope_temperature: 100, rope_rotate_half: true }],
  [/_rope_mixed_/, { rope_type: 'mixed', rope_grid_indexing: 'xy' }],
  [/_rope_reg\d_|^eva02_(?!enormous)/, { ref_feat_shape: 16 }],
  [/_rope_/, { rope_temperature: 100, rope_grid_indexing: 'xy' }],
  [/^vit_pe_core_base_/, { rope_grid_indexing: 'xy', rope_grid_offset: 1, ref_feat_shape: 14 }],
  [/^vit_pe_.*gigantic_/, { rope_grid_indexing: 'xy', ref_feat_shape: 32 }],
  [/^vit_pe_core_/, { rope_grid_indexing: 'xy', rope_grid_offset: 1, ref_feat_shape: 24 }],
  [/^vit_pe_/, { rope_grid_indexing: 'xy', rope_grid_offset: 1, ref_feat_shape: 32 }],
];

/**
 * How a model of timm rotates its queries and keys.
 *
 * @param architecture - its name
 * @param said - what is said besides, which counts more
 * @returns undefined where it does not
 */
export function rotaryOf(architecture: string, said: RotarySettings): RotaryRule | undefined {
  const usual = ROTARY.find(([pattern]) => pattern.test(architecture))?.[1];
  if (!(said.use_rot_pos_emb ?? usual !== undefined)) return undefined;
  const {
    rope_type: type,
    rope_temperature: temperature = 10000,
    rope_grid_offset: offset,
    rope_grid_indexing: order,
    rope_rotate_half: halves,
    ref_feat_shape: shape,
  } = { ...usual, ...said };
  const reference = shape == null ? undefined : sizeOf(shape);
  return {
    kind: type === 'mixed' ? 'learned' : type === 'dinov3' ? 'centred' : 'index',
    ...{ temperature, offset },
    ...(type !== 'mixed' && type !== 'dinov3' && { reference }),
    first: order === 'xy' ? 'horizontal' : 'vertical',
    pairs: halves ? 'halves' : 'neighbours',
  };
}
