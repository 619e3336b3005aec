import { z } from 'zod';

/**
 * A schedule that is searched merges in every second block. Merging takes a dozen small operators, whose time no multiplication tells:
 * in a DINOv2-S in INT8 as long as a hundredth of the whole model for each block that merges (docs/pruning.md).
 */
export const EVERY = 2;

const count = z.number().int().nonnegative();

/** Options of the `merge-tokens` stage. */
export const mergeTokensOptionsSchema = z
  .strictObject({
    r: z
      .union([count, z.array(count).min(1)])
      .optional()
      .describe(
        'Tokens that a block merges: the mean over the blocks, or a list with one number for each block. What the last block merges never reaches the head.',
      )
      .meta({ unit: 'tokens' }),
    schedule: z
      .enum(['constant', 'decreasing'])
      .default('constant')
      .describe(
        'How a mean is spread: the same in every block, or from twice the mean in the first block to none in the last.',
      ),
    budget: z
      .strictObject({
        speed: z
          .number()
          .gt(1)
          .describe('How many times fewer multiplications, predicted from shapes and not measured.'),
        every: z
          .number()
          .int()
          .positive()
          .default(EVERY)
          .describe(
            'Merges in every nth block, n being this number: each block that merges takes time that no multiplication tells. Where that is not enough, every block merges.',
          )
          .meta({ unit: 'blocks' }),
      })
      .optional()
      .describe(
        'What the schedule must reach, in place of r; how merges are spread over the blocks is searched.',
      ),
    images: z
      .number()
      .int()
      .positive()
      .default(128)
      .describe('Held-out training images on which schedules are compared with the unmerged model.')
      .meta({ unit: 'images' }),
  })
  .refine((options) => (options.r === undefined) !== (options.budget === undefined), {
    message: 'either r or a budget',
  });

export type MergeTokensOptions = z.infer<typeof mergeTokensOptionsSchema>;
