import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import type { ViTConfig } from '../config.js';
import { readJson } from './json.js';

const size = z
  .number()
  .int()
  .positive()
  .max(2 ** 20);

const configSchema = z.object({
  model_type: z.enum(['vit', 'deit']),
  hidden_size: size,
  num_hidden_layers: z.number().int().positive().max(1000),
  num_attention_heads: size,
  intermediate_size: size,
  hidden_act: z.enum(['gelu', 'gelu_python']).default('gelu'),
  layer_norm_eps: z.number().positive().max(1).default(1e-12),
  image_size: size.default(224),
  patch_size: size.default(16),
  num_channels: size.default(3),
  qkv_bias: z.boolean().default(true),
  id2label: z.record(z.string(), z.string()).optional(),
  // What relatives of ViT in Transformers have: it must be off, since no tensor may show it.
  quantization_config: z.null().optional(),
  use_mean_pooling: z.literal(false).optional(),
  pooling_type: z.enum(['cls', 'token']).optional(),
  use_swiglu_ffn: z.literal(false).optional(),
  num_register_tokens: z.literal(0).optional(),
  use_relative_position_bias: z.literal(false).optional(),
  use_shared_relative_position_bias: z.literal(false).optional(),
  use_absolute_position_embeddings: z.literal(true).optional(),
  rope_theta: z.null().optional(),
  rope_parameters: z.null().optional(),
  qk_norm: z.literal(false).optional(),
  use_qk_norm: z.literal(false).optional(),
  norm_type: z.enum(['layernorm', 'layer_norm']).optional(),
  attention_bias: z.literal(true).optional(),
  mlp_bias: z.literal(true).optional(),
  head_dim: size.nullish(),
  pruned_heads: z.record(z.string(), z.never()).optional(),
});

/**
 * Reads the `config.json` of a ViT or DeiT of Hugging Face Transformers.
 *
 * @param weights - the file of weights that it belongs to, for the message when it is missing
 * @param path - the file; undefined where there is none
 * @param classes - rows of the classifier; 0 where there is none
 * @param distilled - whether the checkpoint has a distillation token
 * @throws InputError when it is missing or malformed, or the architecture is another one
 */
export async function readHuggingFaceConfig(
  weights: string,
  path: string | undefined,
  classes: number,
  distilled: boolean,
): Promise<{ readonly config: ViTConfig; readonly qkvBias: boolean }> {
  if (path === undefined)
    throw new InputError({
      source: weights,
      place: 'config.json beside it',
      found: 'nothing',
      expected:
        'the config.json of a ViT in Hugging Face layout, which says how many attention heads there are',
    });
  const raw = await readJson(path, 'the config.json of a ViT in Hugging Face layout');
  const parsed = configSchema.safeParse(raw);
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw refuse(keys.map(String).join('.') || 'the whole file', found, expected);
  }
  const hf = parsed.data;
  if (hf.image_size % hf.patch_size !== 0)
    throw refuse('patch_size', String(hf.patch_size), `a divisor of image_size, ${hf.image_size}`);
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
  const config = {
    imageSize: hf.image_size,
    patchSize: hf.patch_size,
    channels: hf.num_channels,
    hiddenSize: hf.hidden_size,
    heads: hf.num_attention_heads,
    mlpSizes: Array.from({ length: hf.num_hidden_layers }, () => hf.intermediate_size),
    layerNormEpsilon: hf.layer_norm_eps,
    distilled,
    labels: classes === 0 ? [] : labelsOf(hf.id2label, classes, refuse),
  };
  return { config, qkvBias: hf.qkv_bias };
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
