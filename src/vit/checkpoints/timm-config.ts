import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import type { Activation, Pooling } from '../config.js';
import type { Part, Told } from './config.js';
import { readJson } from './json.js';

const mean = z.array(z.number().min(-1e4).max(1e4)).length(3);
const std = z.array(z.number().min(1e-4).max(1e4)).length(3);
const pretrainedSchema = z.object({
  input_size: z.tuple([z.number(), z.number(), z.number()]).optional(),
  interpolation: z.enum(['bicubic', 'bilinear', 'nearest']).optional(),
  crop_pct: z.number().min(0.05).max(1).nullish(),
  // Images are squares, which both treat alike.
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
  // The tensors show these.
  class_token: z.boolean().optional(),
  reg_tokens: z.number().int().nonnegative().optional(),
  pre_norm: z.boolean().optional(),
  qk_norm: z.boolean().optional(),
  proj_bias: z.boolean().optional(),
  use_abs_pos_emb: z.boolean().optional(),
  use_rel_pos_bias: z.boolean().optional(),
  use_shared_rel_pos_bias: z.literal(false).optional(),
  // These must be as they are in a plain ViT.
  norm_layer: z.enum(['layernorm']).nullish(),
  embed_norm_layer: z.null().optional(),
  embed_layer: z.null().optional(),
  block_fn: z.null().optional(),
  attn_layer: z.null().optional(),
  scale_attn_norm: z.literal(false).optional(),
  scale_mlp_norm: z.literal(false).optional(),
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
  ...{ tiny: 3, wee: 4, xsmall: 4, little: 5, small: 6, medium: 8, mediumd: 8, betwixt: 10, base: 12 },
  ...{ so150m2: 13, so150m: 14, large: 16, huge: 16, giant: 16, giantopt: 16, gigantic: 16, so400m: 16 },
  ...{ intern300m: 16 },
};

/** Heads that differ from those of the size, by a part of the name. */
const OTHER_HEADS: readonly (readonly [RegExp, number])[] = [
  [/^vit_base_.*plus/, 14],
  [/^vit_base_patch16_gap_224$/, 16],
  [/^vit_giant_patch14_.*(dinov2|tipsv2)$|^vit_giant_patch16_radio/, 24],
  [/^test_vit2?$/, 2],
  [/^test_vit3$/, 3],
];

/** Parts of an architecture's name, behind its size, whose meaning is read here or shown by tensors. */
const KNOWN_PART =
  /^(patch\d+|\d+|plus|miil|distilled|dinov2|tipsv2|36x1|clip|quickgelu|siglip|gap|map|radio|v\d|reg\d)$/;

/** SigLIPs whose GELU is the tanh approximation, by their names (timm's `vision_transformer.py`). */
const TANH =
  /^vit_(base_patch32|so400m_patch16|giantopt_patch16)_siglip_|^vit_large_patch16_siglip_(gap_)?512$/;

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
      `a ViT, DeiT or BEiT whose parts are known: vit_…, deit_…, deit3_…, beit_…, beitv2_…, eva_… or flexivit_… of the sizes ${Object.keys(HEADS).join(', ')}`,
    );
  const pooling = poolingOf(
    args?.global_pool ?? config.global_pool ?? (/^(beit|eva)/.test(architecture ?? '') ? 'avg' : 'token'),
    args?.pool_include_prefix ?? architecture === 'test_vit3',
    refuse,
  );
  const activation = activationOf(architecture ?? '', args ?? {});
  const epsilon = config.layer_norm_eps ?? (/^vit_.*_clip_/.test(architecture ?? '') ? 1e-5 : undefined);
  const noLastNorm =
    args?.final_norm === false ||
    (args?.final_norm === undefined && /^vit_intern|_radio_/.test(architecture ?? ''));
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
      ...(epsilon !== undefined && { layerNormEpsilon: epsilon }),
      ...(activation !== undefined && { activation }),
      ...(pooling !== undefined && { pooling }),
      ...(args?.no_embed_class !== undefined && { positionsOfPatches: args.no_embed_class }),
      ...(noLastNorm && { noLastNorm }),
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
  const { reg_tokens: registers, ...switches } = args;
  // An average is normed behind it unless that is said otherwise, or the architecture's name says that it is of those that differ.
  const usual = /_gap_/.test(read.architecture)
    ? undefined
    : read.pooling === 'patches' || read.pooling === 'tokens';
  const pooled = read.noLastNorm ? false : (args.fc_norm ?? usual);
  const said: [string, Part, boolean | undefined][] = [
    ['model_args.class_token', 'cls', switches.class_token],
    ['model_args.reg_tokens', 'registers', registers === undefined ? undefined : registers > 0],
    ['model_args.pre_norm', 'first_norm', switches.pre_norm],
    ['model_args.qk_norm', 'q_norm', switches.qk_norm],
    ['model_args.use_abs_pos_emb', 'positions', switches.use_abs_pos_emb],
    ['model_args.use_rel_pos_bias', 'distances', switches.use_rel_pos_bias],
    [args.fc_norm == null ? 'global_pool' : 'model_args.fc_norm', 'pooled norm', pooled],
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
  { act_layer: layer, mlp_layer: mlp }: z.infer<typeof argsSchema>,
): Activation | undefined {
  // The MLP with gates has SiLU in it, unless it is given another activation (which no model gives it).
  if (mlp != null ? mlp !== 'mlp' : /^vit_giant_patch14_.*(dinov2|tipsv2)$/.test(architecture))
    return 'swiglu';
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

/** How many heads an architecture of timm has whose parts are known; undefined for any other. */
function headsOf(architecture: string): number | undefined {
  const other = OTHER_HEADS.find(([pattern]) => pattern.test(architecture))?.[1];
  if (/^test_vit/.test(architecture)) return other;
  const [, family = '', size = '', rest] =
    /^(vit|deit|deit3|beit|beitv2|eva|flexivit)_([a-z0-9]+?)(?:_(.+))?$/.exec(architecture) ?? [];
  const known =
    rest === undefined ? family === 'flexivit' : rest.split('_').every((part) => KNOWN_PART.test(part));
  return known && Object.hasOwn(HEADS, size) ? (other ?? HEADS[size]) : undefined;
}
