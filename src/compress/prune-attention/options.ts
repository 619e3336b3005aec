import { z } from 'zod';
import { compensations } from '../prune/options.js';

/** Options of the `prune-attention` stage. */
export const pruneAttentionOptionsSchema = z.strictObject({
  ratio: z
    .number()
    .gt(0)
    .lt(1)
    .describe('Share of the channels of queries and keys to remove, the same in every head of every block.'),
  compensation: z
    .enum(compensations)
    .exclude(['mean'])
    .default('least-squares')
    .describe(
      '`least-squares`: what stays of a head are the combinations of its channels that give the scores with the least squared error; `none`: its channels with the largest products, as they are.',
    ),
  images: z.number().int().positive().default(128).describe('Training images to calibrate on.'),
  multiple: z
    .number()
    .int()
    .positive()
    .default(8)
    .describe('Widths of a head are multiples of this, so that kernels run without a remainder.'),
});

export type PruneAttentionOptions = z.infer<typeof pruneAttentionOptionsSchema>;
