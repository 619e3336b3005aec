import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import type { Told } from './config.js';
import { readJson } from './json.js';

const perChannel = z.array(z.number()).length(3);
const pretrainedSchema = z.object({
  input_size: z.tuple([z.number(), z.number(), z.number()]).optional(),
  interpolation: z.enum(['bicubic', 'bilinear', 'nearest']).optional(),
  crop_pct: z.number().positive().max(1).nullish(),
  crop_mode: z.literal('center').optional(),
  mean: perChannel.optional(),
  std: perChannel.optional(),
});

/** What timm's and other configurations beside a checkpoint say, as far as it matters here. */
const configSchema = pretrainedSchema.extend({
  architecture: z.string().optional(),
  global_pool: z.string().optional(),
  num_attention_heads: z.number().int().positive().optional(),
  layer_norm_eps: z.number().positive().optional(),
  label_names: z.array(z.string()).optional(),
  model_args: z
    .object({ num_heads: z.number().int().positive().optional(), global_pool: z.string().optional() })
    .optional(),
  pretrained_cfg: pretrainedSchema.optional(),
});

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
  const { architecture, model_args: args, label_names: labels, ...config } = parsed.data;
  if (architecture !== undefined && (!/^(vit|deit3?)_/.test(architecture) || /quickgelu/.test(architecture)))
    throw refuse('architecture', architecture, 'a plain ViT or DeiT with GELU: vit_… or deit_…');
  const pool = args?.global_pool ?? config.global_pool ?? 'token';
  if (pool !== 'token' && pool !== '')
    throw refuse('global_pool', pool, '"token": the head reads the class token');
  const heads = args?.num_heads ?? config.num_attention_heads;
  return {
    told: {
      ...(heads !== undefined && { heads }),
      ...(config.layer_norm_eps !== undefined && { layerNormEpsilon: config.layer_norm_eps }),
      ...(labels !== undefined && { labels }),
    },
    images: { ...config, ...config.pretrained_cfg },
  };
}
