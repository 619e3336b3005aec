import { z } from 'zod';

const count = z.number().int().nonnegative();

/** Options of the `merge-tokens` stage. */
export const mergeTokensOptionsSchema = z
  .strictObject({
    /**
     * Tokens that a block merges: one number for the blocks on average, or one for each block. Nothing that the last one merges
     * reaches the head.
     */
    r: z.union([count, z.array(count).min(1)]).optional(),
    /** With one number: the same in every block, or twice as many in the first, falling to none in the last. */
    schedule: z.enum(['constant', 'decreasing']).default('constant'),
    /** What the schedule must reach, instead of `r`; how the merges are spread over the blocks is then searched. */
    budget: z
      .strictObject({
        /** How many times fewer multiplications: predicted from shapes, not measured. */
        speed: z.number().gt(1),
      })
      .optional(),
    /** Held-out training images on which schedules are compared with the unmerged model. */
    images: z.number().int().positive().default(128),
  })
  .refine((options) => (options.r === undefined) !== (options.budget === undefined), {
    message: 'either r or a budget',
  });

export type MergeTokensOptions = z.infer<typeof mergeTokensOptionsSchema>;
