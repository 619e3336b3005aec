import { z } from 'zod';

/** Options of the `precision` stage. */
export const precisionOptionsSchema = z.strictObject({
  /** Tensors to store as float16, as patterns: `layers.*.fc1`, `patch`, `head`, `positions`. */
  float16: z.array(z.string()).default(['*']),
  /**
   * Linears whose output would keep less than this signal-to-noise ratio, in decibels, stay float32. Undefined takes every
   * linear that a pattern names.
   */
  sensitivity: z.number().positive().optional(),
  /** Blocks in which some activation is larger than this share of float16's range stay float32. */
  headroom: z.number().gt(0).max(1).default(0.5),
  /** Training images to look for large activations on. */
  images: z.number().int().positive().default(128),
});

export type PrecisionOptions = z.infer<typeof precisionOptionsSchema>;
