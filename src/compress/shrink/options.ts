import { z } from 'zod';
import { accuracyBudget } from '../accuracy-budget.js';

/** Options of the `shrink` stage. */
export const shrinkOptionsSchema = z.strictObject({
  budget: accuracyBudget.describe('What may be lost, and how that is judged.'),
  images: z
    .number()
    .int()
    .positive()
    .default(256)
    .describe('Training images to calibrate the pruning of neurons on; 32 do for queries and keys.')
    .meta({ unit: 'images' }),
  compared: z
    .number()
    .int()
    .positive()
    .default(64)
    .describe(
      'Held-out training images on which is found what each amount of pruning and of merging does to the logits.',
    )
    .meta({ unit: 'images' }),
  multiple: z
    .number()
    .int()
    .positive()
    .default(32)
    .describe('Widths of the MLPs are multiples of this, so that kernels run without a remainder.')
    .meta({ unit: 'neurons' }),
});

export type ShrinkOptions = z.infer<typeof shrinkOptionsSchema>;
