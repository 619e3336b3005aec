import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import { describeFault } from '../../base/schema.js';
import { sizeOf } from '../../base/size.js';
import type { Told } from './config.js';
import { readJson } from './json.js';
import type { TimmImages } from './timm-config.js';

const count = z.number().int().positive().max(1e6);
const three = z.array(z.number().min(-1e4).max(1e4)).length(3);

/** Of the image tower; a setting that is not listed is refused, as it might change what is computed. */
const visionSchema = z.strictObject({
  image_size: z.union([count, z.tuple([count, count])]),
  patch_size: z.union([count, z.tuple([count, count])]),
  width: count,
  layers: count,
  head_width: count.default(64),
  // The tensors show these.
  mlp_ratio: z.number().positive().optional(),
  ls_init_value: z.number().nullish(),
  // These must be as they are in CLIP's own towers.
  pool_type: z.literal('tok').optional(),
  pos_embed_type: z.literal('learnable').optional(),
  attentional_pool: z.literal(false).optional(),
  no_ln_pre: z.literal(false).optional(),
  final_ln_after_pool: z.literal(false).optional(),
  global_average_pool: z.literal(false).optional(),
  act_kwargs: z.null().optional(),
  norm_kwargs: z.null().optional(),
  timm_model_name: z.null().optional(),
  // These are of training, or of what else it gives.
  patch_dropout: z.number().optional(),
  output_tokens: z.boolean().optional(),
});

const configSchema = z.object({
  model_cfg: z.object({
    vision_cfg: visionSchema,
    quick_gelu: z.boolean().default(false),
    custom_text: z.boolean().optional(),
  }),
  preprocess_cfg: z
    .object({
      mean: three.optional(),
      std: three.optional(),
      interpolation: z.enum(['bicubic', 'bilinear']).optional(),
      // Images are squares, which all of these treat alike.
      resize_mode: z.enum(['shortest', 'squash', 'longest']).optional(),
    })
    .optional(),
});

/** What open_clip takes where nothing is said (its `constants.py`). */
const MEAN = [0.48145466, 0.4578275, 0.40821073];
const STD = [0.26862954, 0.26130258, 0.27577711];

/**
 * Reads an `open_clip_config.json`.
 *
 * @param weights - the file of weights that it belongs to, for the message when it is missing
 * @param path - the file; undefined where there is none
 * @throws InputError when it is missing or malformed, or asks for what no model here does
 */
export async function readOpenClipConfig(
  weights: string,
  path: string | undefined,
): Promise<{ readonly told: Told; readonly images: TimmImages }> {
  if (path === undefined)
    throw new InputError({
      source: weights,
      place: 'open_clip_config.json beside it',
      found: 'nothing',
      expected: 'the configuration, which says how many attention heads there are and which GELU',
    });
  const raw = await readJson(path, 'the configuration of a model of open_clip');
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw new InputError({
      source: path,
      place: keys.map(String).join('.') || 'the whole file',
      found,
      expected,
    });
  }
  const { model_cfg: model, preprocess_cfg: images } = parsed.data;
  const { width, head_width: headWidth, image_size: imageSize } = model.vision_cfg;
  if (width % headWidth !== 0)
    throw new InputError({
      ...{ source: path, place: 'model_cfg.vision_cfg.head_width', found: String(headWidth) },
      expected: `a divisor of the width, ${width}`,
    });
  return {
    told: {
      ...{ heads: width / headWidth, imageSize: sizeOf(imageSize), layerNormEpsilon: 1e-5 },
      ...(model.quick_gelu && { activation: 'quick-gelu' as const }),
    },
    images: {
      mean: images?.mean ?? MEAN,
      std: images?.std ?? STD,
      interpolation: images?.interpolation,
      crop_pct: 1,
    },
  };
}
