import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import { sizeOf } from '../../base/size.js';
import type { Activation, Pooling } from '../config.js';
import type { Part, Told } from './config.js';
import { readJson } from './json.js';
import { families, headsOf, rotaryOf, sizes } from './timm-names.js';

/** A number for each channel. */
const perChannel = (schema: z.ZodNumber) => z.array(schema).min(1).max(512);
const mean = perChannel(z.number().min(-1e4).max(1e4));
const std = perChannel(z.number().min(1e-4).max(1e4));
const pretrainedSchema = z.object({
  input_size: z.tuple([z.number(), z.number(), z.number()]).optional(),
  interpolation: z.enum(['bicubic', 'bilinear', 'nearest']).optional(),
  crop_pct: z.number().min(0.05).max(1).nullish(),
  crop_mode: z.enum(['center', 'squash']).optional(),
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
  act_layer: z
    .enum(['gelu', 'gelu_erf', 'gelu_tanh', 'quick_gelu', 'quickgelu', 'silu', 'swish', 'relu'])
    .nullish(),
  mlp_layer: z.enum(['mlp', 'swiglu_packed', 'swiglupacked']).nullish(),
  fc_norm: z.boolean().nullish(),
  final_norm: z.boolean().optional(),
  pool_include_prefix: z.boolean().optional(),
  swiglu_mlp: z.boolean().optional(),
  use_post_norm: z.boolean().optional(),
  use_fc_norm: z.boolean().nullish(),
  use_post_transformer_norm: z.boolean().nullish(),
  attn_pool_num_heads: count.nullish(),
  // The tensors show these.
  class_token: z.boolean().optional(),
  reg_tokens: z.number().int().nonnegative().optional(),
  pre_norm: z.boolean().optional(),
  qk_norm: z.boolean().optional(),
  proj_bias: z.boolean().optional(),
  use_abs_pos_emb: z.boolean().optional(),
  use_rel_pos_bias: z.boolean().optional(),
  num_reg_tokens: z.number().int().nonnegative().optional(),
  use_pre_transformer_norm: z.boolean().optional(),
  scale_attn_inner: z.boolean().optional(),
  scale_attn_norm: z.boolean().optional(),
  scale_mlp: z.boolean().optional(),
  scale_mlp_norm: z.boolean().optional(),
  qkv_fused: z.boolean().optional(),
  swiglu_align_to: z.number().int().nonnegative().optional(),
  attn_type: z.enum(['eva', 'rope']).optional(),
  // These are of rotary positions.
  use_rot_pos_emb: z.boolean().optional(),
  rope_type: z.enum(['cat', 'dinov3', 'mixed']).nullish(),
  rope_temperature: z.number().positive().optional(),
  rope_grid_offset: z.number().optional(),
  rope_grid_indexing: z.enum(['ij', 'xy']).optional(),
  rope_rotate_half: z.boolean().optional(),
  ref_feat_shape: side.nullish(),
  use_shared_rel_pos_bias: z.literal(false).optional(),
  rel_pos_type: z.literal('mlp').optional(),
  rel_pos_dim: count.nullish(),
  shared_rel_pos: z.boolean().optional(),
  // These must be as they are in a plain ViT.
  norm_layer: z.enum(['layernorm']).nullish(),
  embed_norm_layer: z.null().optional(),
  embed_layer: z.null().optional(),
  block_fn: z.null().optional(),
  attn_layer: z.null().optional(),
  pos_embed: z.literal('learn').optional(),
  // These are of training, or of images of other sizes.
  dynamic_img_size: z.boolean().optional(),
  dynamic_img_pad: z.boolean().optional(),
  drop_rate: rate.optional(),
  pos_drop_rate: rate.optional(),
  patch_drop_rate: rate.optional(),
  proj_drop_rate: rate.optional(),
  attn_drop_rate: rate.optional(),
  drop_path_rate: rate.optional(),
  attn_pool_mlp_ratio: z.number().positive().nullish(),
  num_kv_heads: z.null().optional(),
  attn_only_layer_scale: z.literal(false).optional(),
  rope_mrope_section: z.null().optional(),
  rope_shift_coords: rate.nullish(),
  rope_jitter_coords: rate.nullish(),
  rope_rescale_coords: rate.nullish(),
  head_init_scale: rate.optional(),
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

/** SigLIPs whose GELU is the tanh approximation, by their names (timm's `vision_transformer.py`). */
const TANH =
  /^vit_(base_patch32|so400m_patch16|giantopt_patch16)_siglip_|^vit_large_patch16_siglip_(gap_)?512$/;

/** Architectures whose MLPs have gates. */
const GATED =
  /^vit_giant_patch14_.*(dinov2|tipsv2)$|^eva02_(?!enormous)|^vit_\w+_plus_patch16_dinov3|^vit_7b_patch16_dinov3$|^vit_giant_patch16_lingbot$/;

/** Architectures whose heads read an average where nothing is said. */
const AVERAGED = /^(beit|eva(?!02_enormous))|_s?relpos|_rpn_|_dinov3|^vit_pe_(lang|spatial)_/;

/** Architectures whose LayerNorms have the epsilon 1e-5. */
const SMALL_EPSILON = /^vit_.*_clip_|_dinov3|_lingbot$|^vit_pe_|^beit3_/;

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
 * @throws InputError when it is malformed or asks for what no model here does
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
  const { architecture: named, model_args: args, label_names, ...config } = parsed.data;
  const [architecture] = named?.split('.') ?? [];
  const usual = architecture === undefined ? undefined : headsOf(architecture);
  if (named !== undefined && usual === undefined)
    throw refuse(
      'architecture',
      named,
      `a ViT, DeiT, BEiT or EVA whose parts are known: ${families.join('_…, ')}_… of the sizes ${sizes.join(', ')}`,
    );
  const pooling = poolingOf(
    args?.global_pool ?? config.global_pool ?? (AVERAGED.test(architecture ?? '') ? 'avg' : 'token'),
    args?.pool_include_prefix ?? (architecture === 'test_vit3' || /^vit_pe_core_/.test(architecture ?? '')),
    refuse,
  );
  const activation = activationOf(architecture ?? '', args ?? {});
  const epsilon = config.layer_norm_eps ?? (SMALL_EPSILON.test(architecture ?? '') ? 1e-5 : undefined);
  const lastNorm = args?.final_norm ?? (args?.use_fc_norm ? undefined : args?.use_post_transformer_norm);
  const noLastNorm =
    lastNorm === false ||
    (lastNorm == null && /^vit_intern|_radio_|^vit_pe_(lang|spatial)_/.test(architecture ?? ''));
  const resPostNorm = args?.use_post_norm ?? /_rpn_|^eva02_enormous/.test(architecture ?? '');
  const rotary = rotaryOf(architecture ?? '', args ?? {});
  const poolHeads = args?.attn_pool_num_heads ?? (/^vit_pe_core_/.test(architecture ?? '') ? 8 : undefined);
  const [, height, width] = config.pretrained_cfg?.input_size ?? config.input_size ?? [];
  const heads = args?.num_heads ?? config.num_attention_heads ?? usual;
  const size = args?.img_size;
  const labels = label_names ?? config.pretrained_cfg?.label_names ?? undefined;
  return {
    told: {
      ...(heads !== undefined && { heads }),
      ...(size !== undefined && { imageSize: sizeOf(size) }),
      ...(epsilon !== undefined && { layerNormEpsilon: epsilon }),
      ...(activation !== undefined && { activation }),
      ...(pooling !== undefined && { pooling }),
      ...(args?.no_embed_class !== undefined && { positionsOfPatches: args.no_embed_class }),
      ...(resPostNorm && { resPostNorm }),
      ...(noLastNorm && { noLastNorm }),
      ...(rotary !== undefined && { rotary }),
      ...(poolHeads !== undefined && { poolHeads }),
      ...(height !== undefined && width !== undefined && { usualImageSize: { height, width } }),
      parts: partsOf(args ?? {}, { architecture: architecture ?? '', pooling, noLastNorm }),
      ...(labels !== undefined && { labels }),
    },
    images: { ...config, ...config.pretrained_cfg },
  };
}

/** Parts that settings speak of and tensors show. */
function partsOf(
  args: z.infer<typeof argsSchema>,
  read: {
    readonly architecture: string;
    readonly pooling: Pooling | undefined;
    readonly noLastNorm: boolean;
  },
): NonNullable<Told['parts']> {
  const { reg_tokens, num_reg_tokens, fc_norm: normed, use_fc_norm, ...switches } = args;
  const registers = reg_tokens ?? num_reg_tokens;
  const fcNorm = normed ?? use_fc_norm;
  // An average is normed behind it unless that is said otherwise, or the architecture's name says that it is of those that differ.
  const usual = /_gap_|_dinov3|_lingbot|^vit_pe_|_s?relpos/.test(read.architecture)
    ? undefined
    : read.pooling === 'patches' || read.pooling === 'tokens';
  const pooled = read.noLastNorm ? false : (fcNorm ?? usual);
  const said: [string, Part, boolean | undefined][] = [
    ['model_args.class_token', 'cls', switches.class_token],
    ['model_args.reg_tokens', 'registers', registers === undefined ? undefined : registers > 0],
    ['model_args.pre_norm', 'first_norm', switches.pre_norm ?? switches.use_pre_transformer_norm],
    ['model_args.scale_attn_inner', 'attention_norm', switches.scale_attn_inner ?? switches.scale_attn_norm],
    ['model_args.scale_mlp', 'mlp_norm', switches.scale_mlp ?? switches.scale_mlp_norm],
    ['model_args.qk_norm', 'q_norm', switches.qk_norm],
    ['model_args.use_abs_pos_emb', 'positions', switches.use_abs_pos_emb],
    ['model_args.use_rel_pos_bias', 'distances', switches.use_rel_pos_bias],
    [
      fcNorm == null ? 'global_pool' : normed == null ? 'model_args.use_fc_norm' : 'model_args.fc_norm',
      'pooled norm',
      pooled,
    ],
  ];
  return Object.fromEntries(
    said.flatMap(([setting, part, has]) => (has === undefined ? [] : [[setting, { part, has }]])),
  );
}

/** What the head reads; undefined for the class token. */
function poolingOf(
  pool: string,
  includesPrefix: boolean,
  refuse: (place: string, found: string, expected: string) => InputError,
): Pooling | undefined {
  if (pool === 'token' || pool === '') return undefined;
  if (pool === 'avg') return includesPrefix ? 'tokens' : 'patches';
  if (pool === 'map') return includesPrefix ? 'tokens-attention' : 'patches-attention';
  throw refuse(
    'global_pool',
    pool,
    '"token", "avg" or "map": the head reads the class token, the mean of the patches, or what attention gives of them',
  );
}

/** What stands in the MLP; undefined for GELU. */
function activationOf(
  architecture: string,
  { act_layer: layer, mlp_layer: mlp, swiglu_mlp: gated }: z.infer<typeof argsSchema>,
): Activation | undefined {
  // The MLP with gates has SiLU in it, unless it is given another activation (which no model gives it).
  if (gated ?? (mlp != null ? mlp !== 'mlp' : GATED.test(architecture))) return 'swiglu';
  switch (layer) {
    case 'gelu_tanh':
      return 'gelu-tanh';
    case 'quick_gelu':
    case 'quickgelu':
      return 'quick-gelu';
    case 'silu':
    case 'swish':
      return 'silu';
    case 'relu':
      return 'relu';
    case 'gelu':
    case 'gelu_erf':
      return undefined;
    default:
      if (/_quickgelu_/.test(architecture)) return 'quick-gelu';
      return TANH.test(architecture) ? 'gelu-tanh' : undefined;
  }
}
