import { z } from 'zod';

/** How a neuron's worth is judged; the formulas are in `importance.ts`. */
export const importances = ['magnitude', 'activation', 'variance', 'wanda', 'flap', 'obs'] as const;

/** How the neurons that stay make up for those that go; the formulas are in `compensation.ts`. */
export const compensations = ['none', 'mean', 'least-squares'] as const;

export type Importance = (typeof importances)[number];
export type Compensation = (typeof compensations)[number];

/** Options of the `prune` stage. */
export const pruneOptionsSchema = z
  .strictObject({
    /** Share of all MLP neurons to remove. */
    ratio: z.number().gt(0).lt(1).optional(),
    /** What the compressed model must fit into, instead of a ratio. */
    budget: z
      .union([
        z.strictObject({
          /** Peak memory in MiB above the runtime's base. */
          memory: z.number().positive(),
          /** Batch size the peak is meant for. */
          batch: z.number().int().positive(),
        }),
        z.strictObject({
          /** Bytes that the parameters take, in MiB. */
          parameters: z.number().positive(),
        }),
      ])
      .optional(),
    importance: z.enum(importances).default('obs'),
    compensation: z.enum(compensations).default('least-squares'),
    /** One ratio for every block, or widths that lose least over all of them. */
    allocation: z.enum(['uniform', 'global']).default('global'),
    /** Training images to calibrate on. */
    images: z.number().int().positive().default(512),
    /** Widths are multiples of this, so that kernels run without a remainder. */
    multiple: z.number().int().positive().default(32),
  })
  .refine((options) => (options.ratio === undefined) !== (options.budget === undefined), {
    message: 'either a ratio or a budget',
  });

export type PruneOptions = z.infer<typeof pruneOptionsSchema>;
