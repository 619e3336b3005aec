import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import { divided, isWhole, sizeOf, sizeText, type Size } from '../../base/size.js';
import type { Activation, LastNorm, Pooling, ViTConfig } from '../config.js';
import { readJson } from './json.js';
import type { RotaryRule } from '../rotary.js';
import type { Resampling } from './positions.js';

const size = z
  .number()
  .int()
  .positive()
  .max(2 ** 20);

/** Of a square, or height and width. */
const sides = z.union([size, z.tuple([size, size])]);

/** Activations by the names that Transformers has for them (`activations.py`). */
const activations: Readonly<Record<string, Activation>> = {
  ...{
    gelu: 'gelu',
    gelu_python: 'gelu',
    quick_gelu: 'quick-gelu',
    silu: 'silu',
    swish: 'silu',
    relu: 'relu',
  },
  ...{ gelu_new: 'gelu-tanh', gelu_pytorch_tanh: 'gelu-tanh', gelu_fast: 'gelu-tanh' },
};

/** Fields that some models have, and what they say of a plain ViT. */
const PLAIN = {
  use_mean_pooling: false,
  use_swiglu_ffn: false,
  num_register_tokens: 0,
  use_relative_position_bias: false,
  use_shared_relative_position_bias: false,
  use_absolute_position_embeddings: true,
};

/** What a model of Transformers is like whose configuration does not say it. */
interface Family {
  /** What is taken where the file says nothing. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly classToken?: false;
  readonly firstNorm?: true;
  /** Fields of the configuration that other models must have as they are in a plain ViT. */
  readonly reading?: readonly (keyof typeof PLAIN)[];
  /** Whether keys have no biases. */
  readonly keysWithoutBias?: true;
  /** How queries and keys are rotated, but for the temperature; such a model takes images of any size. */
  readonly rotary?: Omit<RotaryRule, 'temperature'>;
  /** How positions are resampled for images of another size; undefined for a model that takes one size. */
  readonly resampling?: Resampling;
  /**
   * What the head reads, and where the last norm stands.
   *
   * @param classifies - whether the model has a classifier
   * @param mean - whether the configuration asks for the mean of the patches
   */
  readonly reads: (classifies: boolean, mean: boolean) => { pooling: Pooling; lastNorm: LastNorm };
}

const classToken: Family['reads'] = () => ({ pooling: 'class', lastNorm: 'tokens' });
const beit: Family = {
  defaults: {
    ...{ use_mean_pooling: true, use_absolute_position_embeddings: false },
    layer_norm_eps: 1e-12,
  },
  reading: [
    ...(['use_mean_pooling', 'use_absolute_position_embeddings'] as const),
    ...(['use_relative_position_bias', 'use_shared_relative_position_bias'] as const),
  ],
  keysWithoutBias: true,
  reads: (_, mean) =>
    mean ? { pooling: 'patches', lastNorm: 'pooled' } : { pooling: 'class', lastNorm: 'tokens' },
};
const dinov2: Family = {
  defaults: { layer_norm_eps: 1e-6 },
  reading: ['use_swiglu_ffn'],
  reads: () => ({ pooling: 'class-patches', lastNorm: 'tokens' }),
};
const base = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 };
const clip: Family = {
  firstNorm: true,
  defaults: { ...base, patch_size: 32, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 },
  // The classifier averages what no norm has passed; a backbone's own output is the class token behind its norm.
  reads: (classifies) =>
    classifies ? { pooling: 'patches', lastNorm: 'none' } : { pooling: 'class', lastNorm: 'tokens' },
};
const siglip: Family = {
  classToken: false,
  defaults: { ...base, hidden_act: 'gelu_pytorch_tanh', layer_norm_eps: 1e-6 },
  // The classifier averages; a backbone's own output is pooled by attention.
  reads: (classifies) => ({ pooling: classifies ? 'tokens' : 'tokens-attention', lastNorm: 'tokens' }),
};

/** The models of Transformers that are read, by `model_type`. */
const families = {
  vit: { reads: classToken },
  deit: { reads: classToken },
  vit_msn: { reads: classToken, defaults: { layer_norm_eps: 1e-6 } },
  ijepa: { classToken: false, reads: () => ({ pooling: 'tokens', lastNorm: 'tokens' }) },
  dinov2: { ...dinov2, resampling: 'cubic' },
  dinov2_with_registers: {
    ...dinov2,
    resampling: 'cubic-antialiased',
    defaults: { ...dinov2.defaults, num_register_tokens: 4 },
    reading: ['use_swiglu_ffn', 'num_register_tokens'],
  },
  dinov3_vit: {
    defaults: {
      ...{ layer_norm_eps: 1e-5, rope_theta: 100, use_absolute_position_embeddings: false },
      num_register_tokens: 0,
    },
    reading: ['num_register_tokens', 'use_absolute_position_embeddings'],
    rotary: { kind: 'centred', first: 'vertical', pairs: 'halves' },
    keysWithoutBias: true,
    reads: classToken,
  },
  beit,
  'data2vec-vision': beit,
  clip,
  clip_vision_model: clip,
  siglip,
  siglip_vision_model: siglip,
} as const satisfies Record<string, Family>;

const configSchema = z.object({
  model_type: z.enum(Object.keys(families) as [keyof typeof families, ...(keyof typeof families)[]]),
  hidden_size: size,
  num_hidden_layers: z.number().int().positive().max(1000),
  num_attention_heads: size,
  intermediate_size: size.optional(),
  hidden_act: z.enum(Object.keys(activations) as [string, ...string[]]).default('gelu'),
  layer_norm_eps: z.number().positive().max(1).default(1e-12),
  image_size: sides.default(224),
  patch_size: sides.default(16),
  num_channels: size.default(3),
  qkv_bias: z.boolean().default(true),
  id2label: z.record(z.string(), z.string()).optional(),
  use_mean_pooling: z.boolean().default(false),
  use_swiglu_ffn: z.boolean().default(false),
  num_register_tokens: z.number().int().nonnegative().max(1000).default(0),
  use_relative_position_bias: z.boolean().default(false),
  use_shared_relative_position_bias: z.boolean().default(false),
  use_absolute_position_embeddings: z.boolean().default(true),
  // What relatives of ViT in Transformers have: it must be off, since no tensor may show it.
  quantization_config: z.null().optional(),
  pooling_type: z.enum(['cls', 'token']).optional(),
  rope_theta: z.number().positive().nullish(),
  use_gated_mlp: z.boolean().default(false),
  query_bias: z.boolean().default(true),
  value_bias: z.boolean().default(true),
  apply_layernorm: z.literal(true).optional(),
  rope_parameters: z.null().optional(),
  qk_norm: z.literal(false).optional(),
  use_qk_norm: z.literal(false).optional(),
  norm_type: z.enum(['layernorm', 'layer_norm']).optional(),
  attention_bias: z.literal(true).optional(),
  mlp_bias: z.literal(true).optional(),
  head_dim: size.nullish(),
  pruned_heads: z.record(z.string(), z.never()).optional(),
});

/** A model that has the vision tower's configuration within its own. */
const towersSchema = z.looseObject({
  vision_config: z.looseObject({}),
  id2label: z.unknown().optional(),
});

const typeSchema = z.looseObject({ model_type: z.string().optional() });

/** What is known of the checkpoint before its configuration is read. */
export interface Seen {
  /** Rows of the classifier; 0 where there is none. */
  readonly classes: number;
  /** Whether there is a distillation token. */
  readonly distilled: boolean;
  /** Neurons of each block's MLP; taken where the configuration does not say how many. */
  readonly mlpSizes: readonly number[];
  /** Rows of the projection that features pass through; undefined where there is none, or a classifier does without. */
  readonly projection: number | undefined;
  /** Sides of the images that it is to be given, where something says so. */
  readonly imageSize: Size | undefined;
}

/** What a configuration says of a model. */
export interface HuggingFaceConfig {
  readonly config: ViTConfig;
  /** Whether queries, keys and values must have biases. */
  readonly qkvBias: boolean;
  /** Whether keys have none. */
  readonly keysWithoutBias: boolean;
  readonly resampling: Resampling | undefined;
  readonly rotary: RotaryRule | undefined;
}

/**
 * Reads the `config.json` of a ViT or one of its relatives in Hugging Face Transformers.
 *
 * @param weights - the file of weights that it belongs to, for the message when it is missing
 * @param path - the file; undefined where there is none
 * @param seen - what the checkpoint shows
 * @throws InputError when it is missing or malformed, or the architecture is another one
 */
export async function readHuggingFaceConfig(
  weights: string,
  path: string | undefined,
  seen: Seen,
): Promise<HuggingFaceConfig> {
  if (path === undefined)
    throw new InputError({
      source: weights,
      place: 'config.json beside it',
      found: 'no such file',
      expected:
        'the config.json of a ViT in Hugging Face layout, which says how many attention heads there are',
    });
  const raw = inOne(await readJson(path, 'the config.json of a ViT in Hugging Face layout'));
  const parsed = configSchema.safeParse(raw);
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw refuse(keys.map(String).join('.') || 'the whole file', found, expected);
  }
  const hf = parsed.data;
  const family: Family = families[hf.model_type];
  const anySize = family.resampling !== undefined || family.rotary !== undefined;
  const [saidSize, patchSize] = [sizeOf(hf.image_size), sizeOf(hf.patch_size)];
  const imageSize = anySize ? (seen.imageSize ?? saidSize) : saidSize;
  if (!isWhole(divided(saidSize, patchSize)))
    throw refuse('patch_size', sizeText(patchSize), `a divisor of image_size, ${sizeText(saidSize)}`);
  if (!isWhole(divided(imageSize, patchSize)))
    throw refuse(
      'patch_size',
      sizeText(patchSize),
      `a divisor of ${sizeText(imageSize)}, the size of the images`,
    );
  if (hf.hidden_size % hf.num_attention_heads !== 0)
    throw refuse(
      'num_attention_heads',
      String(hf.num_attention_heads),
      `a divisor of hidden_size, ${hf.hidden_size}`,
    );
  if (hf.head_dim != null && hf.head_dim * hf.num_attention_heads !== hf.hidden_size)
    throw refuse(
      'head_dim',
      String(hf.head_dim),
      `${hf.hidden_size / hf.num_attention_heads}, hidden_size / num_attention_heads`,
    );
  if (hf.use_relative_position_bias && hf.use_shared_relative_position_bias)
    throw refuse('use_shared_relative_position_bias', 'true', 'false, beside tables of each block');
  for (const [field, plain] of Object.entries(PLAIN) as [keyof typeof PLAIN, boolean | number][])
    if (hf[field] !== plain && !family.reading?.includes(field))
      throw refuse(field, String(hf[field]), `${String(plain)}, as a model of type ${hf.model_type} has it`);
  if (hf.use_gated_mlp && activations[hf.hidden_act] !== 'silu')
    throw refuse('hidden_act', hf.hidden_act, '"silu", since the MLPs have gates (use_gated_mlp)');
  if (hf.rope_theta != null && family.rotary === undefined)
    throw refuse('rope_theta', String(hf.rope_theta), `nothing, as a model of type ${hf.model_type} has it`);
  const gated = hf.use_swiglu_ffn || hf.use_gated_mlp;
  const activation = gated ? 'swiglu' : defined(activations[hf.hidden_act], hf.hidden_act);
  const { pooling, lastNorm } = family.reads(seen.classes > 0, hf.use_mean_pooling);
  const config: ViTConfig = {
    imageSize,
    patchSize,
    channels: hf.num_channels,
    hiddenSize: hf.hidden_size,
    heads: hf.num_attention_heads,
    mlpSizes: Array.from(
      { length: hf.num_hidden_layers },
      (_, layer) => hf.intermediate_size ?? seen.mlpSizes[layer] ?? 0,
    ),
    layerNormEpsilon: hf.layer_norm_eps,
    distilled: seen.distilled,
    ...(activation !== 'gelu' && { activation }),
    ...(family.classToken === false && { classToken: false }),
    ...(hf.num_register_tokens > 0 && { registers: hf.num_register_tokens }),
    ...(!hf.use_absolute_position_embeddings && { positions: false }),
    ...((hf.use_relative_position_bias || hf.use_shared_relative_position_bias) && {
      relativePositions: true,
    }),
    ...(family.rotary && { rotary: 'shared' }),
    ...(family.firstNorm && { firstNorm: true }),
    ...(pooling !== 'class' && { pooling }),
    ...(pooling === 'tokens-attention' && { poolSize: hf.intermediate_size }),
    ...(lastNorm !== 'tokens' && { lastNorm }),
    ...(seen.projection !== undefined && { projection: seen.projection }),
    labels: seen.classes === 0 ? [] : labelsOf(hf.id2label, seen.classes, refuse),
  };
  return {
    config,
    qkvBias: hf.qkv_bias && hf.query_bias && hf.value_bias,
    keysWithoutBias: family.keysWithoutBias === true,
    resampling: family.resampling,
    rotary: family.rotary && { ...family.rotary, temperature: hf.rope_theta ?? 0 },
  };
}

/** A configuration with the vision tower's in place of what names it, and with what its family takes where it says nothing. */
function inOne(raw: unknown): unknown {
  const towers = towersSchema.safeParse(raw).data;
  const type = typeSchema.safeParse(raw).data?.model_type;
  const family: Family | undefined =
    type !== undefined && Object.hasOwn(families, type) ? families[type as keyof typeof families] : undefined;
  if (family === undefined) return raw;
  const said =
    towers === undefined
      ? (raw as Record<string, unknown>)
      : { ...towers.vision_config, model_type: type, id2label: towers.id2label };
  return { ...family.defaults, ...said };
}

function labelsOf(
  names: Readonly<Record<string, string>> | undefined,
  classes: number,
  refuse: (place: string, found: string, expected: string) => InputError,
): string[] {
  if (names === undefined) return Array.from({ length: classes }, (_, index) => `class ${index}`);
  const count = Object.keys(names).length;
  const labels = Array.from({ length: count }, (_, index) =>
    Object.hasOwn(names, String(index)) ? names[String(index)] : undefined,
  );
  if (labels.length === 0 || labels.some((label) => label === undefined))
    throw refuse('id2label', `the keys ${Object.keys(names).join(', ')}`, 'the keys 0, 1, 2, …');
  if (labels.length !== classes)
    throw refuse('id2label', `${labels.length} classes`, `the ${classes} that the classifier has`);
  return labels as string[];
}
