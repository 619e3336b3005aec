import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import type { ViTConfig } from '../config.js';
import { readJson } from './json.js';

const configSchema = z.object({
  model_type: z.enum(['vit', 'deit']),
  hidden_size: z.number().int().positive(),
  num_hidden_layers: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  intermediate_size: z.number().int().positive(),
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: z.number().int().positive().default(224),
  patch_size: z.number().int().positive().default(16),
  num_channels: z.number().int().positive().default(3),
  qkv_bias: z.boolean().default(true),
  id2label: z.record(z.string(), z.string()).optional(),
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
  const labels = Array.from({ length: Object.keys(names).length }, (_, index) => names[String(index)]);
  if (labels.length === 0 || labels.some((label) => label === undefined))
    throw refuse('id2label', `the keys ${Object.keys(names).join(', ')}`, 'the keys 0, 1, 2, …');
  if (labels.length !== classes)
    throw refuse('id2label', `${labels.length} classes`, `the ${classes} that the classifier has`);
  return labels as string[];
}
