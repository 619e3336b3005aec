import { z } from 'zod';

/** Options of the `profile` stage. */
export const profileOptionsSchema = z.strictObject({
  /** Training images to look at. */
  images: z.number().int().positive().default(128),
  /** Percentiles of each channel, upwards and mirrored downwards. */
  percentiles: z.array(z.number().gt(50).lt(100)).default([99, 99.9]),
  /** Batch size whose activation memory is laid out node by node. */
  batch: z.number().int().positive().default(8),
});

export type ProfileOptions = z.infer<typeof profileOptionsSchema>;
