import { z } from 'zod';

/**
 * What the linears become: int8 weights and inputs (`w8a8`; `qdq`, the same as a graph of QuantizeLinear and DequantizeLinear;
 * `dynamic`, the range of the inputs taken while the model runs), or weights alone in 8 or 4 bit.
 */
export const formats = ['w8a8', 'qdq', 'dynamic', 'w8', 'w4'] as const;

export type Format = (typeof formats)[number];

/** The formats that quantise weights alone. */
export type WeightFormat = Extract<Format, 'w8' | 'w4'>;

/** Whether a format quantises weights alone. */
export function isWeightFormat(format: Format): format is WeightFormat {
  return format === 'w8' || format === 'w4';
}

/**
 * Whether a format quantises the embedding of the patches, too: `qdq` and `dynamic` are there to be what other tools write of linears,
 * and in weights alone nothing would be gained, since the embedding has few weights for what it multiplies.
 */
export function quantizesPatches({ format }: { readonly format: Format }): boolean {
  return format === 'w8a8';
}

/** Options of the `quantize` stage. */
export const quantizeOptionsSchema = z.strictObject({
  format: z
    .enum(formats)
    .default('w8a8')
    .describe(
      '`w8a8`: INT8 weights and inputs; `qdq`: the same, written as QuantizeLinear and DequantizeLinear; `dynamic`: the range of the inputs is taken at run time; `w8` and `w4`: weights alone, in 8 or 4 bits.',
    ),
  keep: z
    .array(z.string())
    .default([])
    .describe(
      'Linears that stay float, as patterns: `layers.0.*`, `layers.*.fc2`; `patch` is the embedding of the patches, which becomes INT8 in w8a8 only.',
    ),
  alpha: z
    .union([z.literal('search'), z.literal('off'), z.number().min(0).max(1)])
    .default('search')
    .describe(
      'How far the difficulty of quantising is moved from inputs to weights: searched, fixed between 0 and 1, or `off` to leave the channels as they are.',
    ),
  shift: z.boolean().default(true).describe('Centre each channel before it is scaled (not for w8 and w4).'),
  divideNeurons: z
    .boolean()
    .default(true)
    .describe(
      'Divide the neurons of an MLP before they are quantised, each by a number of its own, in blocks where that makes the error less by two decibels or more (w8a8 and qdq only).',
    ),
  clipInputs: z
    .boolean()
    .default(true)
    .describe('Search an input range narrower than that of the calibration images (w8a8 and qdq only).'),
  clipWeights: z.boolean().default(true).describe('Search a narrower range of the weights.'),
  perChannel: z
    .boolean()
    .default(true)
    .describe(
      'A scale for each output channel of a weight, or one for the whole weight (not for w8 and w4).',
    ),
  boundPairs: z
    .boolean()
    .default(true)
    .describe(
      'Let two neighbouring weights of one sign have 128 steps together at most, so that products are exact on x86-64 processors without VNNI, which add two of them in 16 bits (not for w8 and w4).',
    ),
  rounding: z
    .enum(['nearest', 'feedback'])
    .default('nearest')
    .describe(
      'How weights are rounded: each to the nearest, or one input after the other, the errors made up for by those that are still to be rounded (GPTQ). The patch embedding is always rounded with feedback.',
    ),
  biasCorrection: z.boolean().default(true).describe('Add the mean error of each output to the bias.'),
  blockSize: z
    .union([z.literal(16), z.literal(32), z.literal(64), z.literal(128), z.literal(256)])
    .default(32)
    .describe('Inputs that share a scale (w8 and w4 only).')
    .meta({ unit: 'inputs' }),
  images: z
    .number()
    .int()
    .positive()
    .default(128)
    .describe('Training images to calibrate on.')
    .meta({ unit: 'images' }),
  rows: z
    .number()
    .int()
    .positive()
    .default(512)
    .describe('Token rows on which the searches try their candidates.')
    .meta({ unit: 'rows' }),
  budget: z
    .strictObject({
      agreement: z
        .number()
        .gt(0)
        .max(1)
        .describe('Share of images that must keep the class they had before this stage.'),
      images: z
        .number()
        .int()
        .positive()
        .default(256)
        .describe('Held-out training images on which that is checked.')
        .meta({ unit: 'images' }),
    })
    .optional()
    .describe(
      'What the quantised model must keep on held-out training images: the worst linears return to float until it does.',
    ),
});

export type QuantizeOptions = z.infer<typeof quantizeOptionsSchema>;
