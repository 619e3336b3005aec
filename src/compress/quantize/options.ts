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

/** Options of the `quantize` stage. */
export const quantizeOptionsSchema = z.strictObject({
  format: z.enum(formats).default('w8a8'),
  /** Linears that stay float, as patterns: `layers.0.*`, `layers.*.fc2`. */
  keep: z.array(z.string()).default([]),
  /**
   * How far the difficulty of quantising moves from inputs to weights: searched, fixed (0 … 1), or `off` to leave the
   * channels as they are.
   */
  alpha: z.union([z.literal('search'), z.literal('off'), z.number().min(0).max(1)]).default('search'),
  /** Centre each channel before it is scaled (not for weights alone). */
  shift: z.boolean().default(true),
  /** Search a narrower input range than the calibration images had (w8a8 and qdq only). */
  clipInputs: z.boolean().default(true),
  /** Search a narrower weight range. */
  clipWeights: z.boolean().default(true),
  /** A scale for each output of a weight, or one for the whole weight (not for weights alone). */
  perChannel: z.boolean().default(true),
  /** Put the mean error of each output into the bias. */
  biasCorrection: z.boolean().default(true),
  /** Inputs that share a scale (w8 and w4 only). */
  blockSize: z
    .union([z.literal(16), z.literal(32), z.literal(64), z.literal(128), z.literal(256)])
    .default(32),
  /** Training images to calibrate on. */
  images: z.number().int().positive().default(128),
  /** Token rows that the searches try their candidates on. */
  rows: z.number().int().positive().default(512),
  /** What the quantised model must keep on held-out training images; the worst linears return to float until it does. */
  budget: z
    .strictObject({
      /** Share of images that get the same class as before this stage. */
      agreement: z.number().gt(0).max(1),
      /** Held-out training images to check on. */
      images: z.number().int().positive().default(256),
    })
    .optional(),
});

export type QuantizeOptions = z.infer<typeof quantizeOptionsSchema>;
