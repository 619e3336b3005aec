import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import type { Told } from './config.js';
import { readJson } from './json.js';

const mean = z.array(z.number().min(-1e4).max(1e4)).length(3);
const std = z.array(z.number().min(1e-4).max(1e4)).length(3);
const pretrainedSchema = z.object({
  input_size: z.tuple([z.number(), z.number(), z.number()]).optional(),
  interpolation: z.enum(['bicubic', 'bilinear', 'nearest']).optional(),
  crop_pct: z.number().min(0.05).max(1).nullish(),
  crop_mode: z.literal('center').optional(),
  mean: mean.optional(),
  std: std.optional(),
});

const count = z.number().int().positive().max(1e6);
const rate = z.number();
const side = z.union([count, z.tuple([count, count])]);

/**
 * What may be asked of timm's `VisionTransformer`. A setting that no plain ViT has must be off; one that is not listed is refused, as
 * it might change what is computed.
 */
const argsSchema = z.strictObject({
  // The tensors' shapes show these, too.
  img_size: side.optional(),
  patch_size: side.optional(),
  in_chans: count.optional(),
  embed_dim: count.optional(),
  depth: count.optional(),
  mlp_ratio: z.number().positive().optional(),
  num_classes: z.number().int().nonnegative().optional(),
  qkv_bias: z.boolean().optional(),
  init_values: z.number().nullish(),
  no_embed_class: z.boolean().optional(),
  // These are read.
  num_heads: count.optional(),
  global_pool: z.string().optional(),
  // These must be as they are in a plain ViT.
  act_layer: z.literal('gelu').nullish(),
  norm_layer: z.enum(['layernorm']).nullish(),
  embed_norm_layer: z.null().optional(),
  embed_layer: z.null().optional(),
  block_fn: z.null().optional(),
  mlp_layer: z.null().optional(),
  attn_layer: z.null().optional(),
  qk_norm: z.literal(false).optional(),
  scale_attn_norm: z.literal(false).optional(),
  scale_mlp_norm: z.literal(false).optional(),
  proj_bias: z.literal(true).optional(),
  class_token: z.literal(true).optional(),
  pos_embed: z.literal('learn').optional(),
  reg_tokens: z.literal(0).optional(),
  pre_norm: z.literal(false).optional(),
  final_norm: z.literal(true).optional(),
  fc_norm: z.literal(false).nullish(),
  pool_include_prefix: z.literal(false).optional(),
  // These are of training, or of images of other sizes.
  dynamic_img_size: z.boolean().optional(),
  dynamic_img_pad: z.boolean().optional(),
  drop_rate: rate.optional(),
  pos_drop_rate: rate.optional(),
  patch_drop_rate: rate.optional(),
  proj_drop_rate: rate.optional(),
  attn_drop_rate: rate.optional(),
  drop_path_rate: rate.optional(),
  weight_init: z.string().optional(),
  fix_init: z.boolean().optional(),
});

/** What timm's and other configurations beside a checkpoint say, as far as it matters here. */
const configSchema = pretrainedSchema.extend({
  architecture: z.string().optional(),
  global_pool: z.string().optional(),
  num_attention_heads: count.optional(),
  layer_norm_eps: z.number().positive().max(1).optional(),
  label_names: z.array(z.string()).optional(),
  model_args: argsSchema.nullish(),
  pretrained_cfg: pretrainedSchema.extend({ label_names: z.array(z.string()).nullish() }).optional(),
});

/** Attention heads of timm's architectures, by the size in their names (timm's `vision_transformer.py`, `deit.py`). */
const HEADS: Readonly<Record<string, number>> = {
  ...{ tiny: 3, xsmall: 4, small: 6, medium: 8, betwixt: 10, base: 12, large: 16 },
  ...{ huge: 16, giant: 16, gigantic: 16, so400m: 16 },
};

/** Parts of an architecture's name, behind its size, that change nothing that tensors do not show. */
const PLAIN_PART = /^(patch\d+|\d+|plus|miil|distilled|dinov2|36x1|clip|siglip|gap|reg\d)$/;

/** What images go through before a model of timm, as its configuration says it. */
export type TimmImages = z.infer<typeof pretrainedSchema>;

/** A configuration in timm's layout. */
export interface TimmConfig {
  readonly told: Told;
  /** Undefined where there is no configuration. */
  readonly images: TimmImages | undefined;
}

/**
 * Reads a `config.json` in timm's layout, as it lies on the Hub; nothing is told where there is none.
 *
 * @param path - the file; undefined where there is none
 * @throws InputError when it is malformed or asks for what a plain ViT does not do
 */
export async function readTimmConfig(path: string | undefined): Promise<TimmConfig> {
  if (path === undefined) return { told: {}, images: undefined };
  const raw = await readJson(path, 'the config.json of a model of timm');
  const parsed = configSchema.safeParse(raw);
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw refuse(keys.map(String).join('.') || 'the whole file', found, expected);
  }
  const { architecture, model_args: args, label_names, ...config } = parsed.data;
  const usual = architecture === undefined ? undefined : headsOf(architecture);
  if (architecture !== undefined && usual === undefined)
    throw refuse(
      'architecture',
      architecture,
      `a plain ViT or DeiT with GELU: vit_…, deit_… or deit3_… of the sizes ${Object.keys(HEADS).join(', ')}`,
    );
  const pool = args?.global_pool ?? config.global_pool ?? 'token';
  if (pool !== 'token' && pool !== '')
    throw refuse('global_pool', pool, '"token": the head reads the class token');
  const heads = args?.num_heads ?? config.num_attention_heads ?? usual;
  const size = args?.img_size;
  if (Array.isArray(size) && size[0] !== size[1])
    throw refuse('model_args.img_size', size.join(' × '), 'a square');
  const labels = label_names ?? config.pretrained_cfg?.label_names ?? undefined;
  const imageSize = Array.isArray(size) ? size[0] : size;
  return {
    told: {
      ...(heads !== undefined && { heads }),
      ...(imageSize !== undefined && { imageSize }),
      ...(config.layer_norm_eps !== undefined && { layerNormEpsilon: config.layer_norm_eps }),
      ...(labels !== undefined && { labels }),
    },
    images: { ...config, ...config.pretrained_cfg },
  };
}

/** How many heads a plain architecture of timm has; undefined for any other. */
function headsOf(architecture: string): number | undefined {
  const [, size = '', rest = ''] = /^(?:vit|deit|deit3)_([a-z0-9]+)_([^.]+)/.exec(architecture) ?? [];
  const heads = Object.hasOwn(HEADS, size) ? HEADS[size] : undefined;
  const plain = rest.split('_').every((part) => PLAIN_PART.test(part));
  return plain && heads !== undefined
    ? heads + (size === 'base' && rest.includes('plus') ? 2 : 0)
    : undefined;
}
