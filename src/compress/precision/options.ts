import { z } from 'zod';

/** Options of the `precision` stage. */
export const precisionOptionsSchema = z.strictObject({
  float16: z
    .array(z.string())
    .default(['*'])
    .describe('Tensors to store as float16, as patterns: `layers.*.fc1`, `patch`, `head`, `positions`.'),
  sensitivity: z
    .number()
    .positive()
    .optional()
    .describe(
      'Linears whose output would keep a lower signal-to-noise ratio than this, in dB, stay float32. Left out, every linear that a pattern names is stored as float16.',
    )
    .meta({ unit: 'dB' }),
  headroom: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('Blocks with an activation above this share of the float16 range stay float32.'),
  images: z
    .number()
    .int()
    .positive()
    .default(128)
    .describe('Training images that are searched for large activations, where the patterns name linears.')
    .meta({ unit: 'images' }),
});

export type PrecisionOptions = z.infer<typeof precisionOptionsSchema>;
