import { z } from 'zod';
import { MAX_BATCH } from '../../base/limits.js';
import { accuracyBudget } from '../accuracy-budget.js';

/** How a neuron's worth is judged; the formulas are in `importance.ts`. */
export const importances = ['magnitude', 'activation', 'variance', 'wanda', 'flap', 'obs'] as const;

/** How the neurons that stay make up for those that go; the formulas are in `compensation.ts`. */
export const compensations = ['none', 'mean', 'least-squares'] as const;

export type Importance = (typeof importances)[number];
export type Compensation = (typeof compensations)[number];

/** Options of the `prune` stage. */
export const pruneOptionsSchema = z
  .strictObject({
    ratio: z.number().gt(0).lt(1).optional().describe('Share of all MLP neurons to remove.'),
    budget: z
      .union([
        z.strictObject({
          memory: z
            .number()
            .positive()
            .describe('Peak memory in MiB above the base of the runtime.')
            .meta({ unit: 'MiB' }),
          batch: z
            .number()
            .int()
            .positive()
            .max(MAX_BATCH)
            .describe('Batch size that the peak is meant for, in images.')
            .meta({ unit: 'images' }),
        }),
        z.strictObject({
          parameters: z.number().positive().describe('Size of the parameters, in MiB.').meta({ unit: 'MiB' }),
        }),
        accuracyBudget,
      ])
      .optional()
      .describe('What the compressed model must fit into, or may lose, in place of a ratio.'),
    importance: z
      .enum(importances)
      .default('obs')
      .describe(
        'How the importance of a neuron is judged; `obs`: the loss of removing it when all others make up for it.',
      ),
    compensation: z
      .enum(compensations)
      .default('least-squares')
      .describe('How the neurons that stay make up for those that go.'),
    allocation: z
      .enum(['uniform', 'global'])
      .default('global')
      .describe(
        'The same ratio in every block, or the widths that lose least over all blocks, relative to the streams.',
      ),
    images: z
      .number()
      .int()
      .positive()
      .default(256)
      .describe('Training images to calibrate on.')
      .meta({ unit: 'images' }),
    multiple: z
      .number()
      .int()
      .positive()
      .default(32)
      .describe('Widths are multiples of this, so that kernels run without a remainder.')
      .meta({ unit: 'neurons' }),
  })
  .refine((options) => (options.ratio === undefined) !== (options.budget === undefined), {
    message: 'either a ratio or a budget',
  });

export type PruneOptions = z.infer<typeof pruneOptionsSchema>;
