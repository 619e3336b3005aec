import { z } from 'zod';

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
