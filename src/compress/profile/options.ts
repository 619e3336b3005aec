import { z } from 'zod';
import { MAX_BATCH } from '../../base/limits.js';

/** Options of the `profile` stage. */
export const profileOptionsSchema = z.strictObject({
  images: z
    .number()
    .int()
    .positive()
    .default(128)
    .describe('Training images to observe.')
    .meta({ unit: 'images' }),
  percentiles: z
    .array(z.number().gt(50).lt(100))
    .default([99, 99.9])
    .describe('Percentiles of each channel to record, in percent; each is mirrored at the lower end.')
    .meta({ unit: '%' }),
  batch: z
    .number()
    .int()
    .positive()
    .max(MAX_BATCH)
    .default(8)
    .describe('Batch size whose activation memory is laid out node by node, in images.')
    .meta({ unit: 'images' }),
});

export type ProfileOptions = z.infer<typeof profileOptionsSchema>;
