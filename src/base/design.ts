import { z } from 'zod';

/** Which combinations of the levels of its factors an experiment has. */
export const designKinds = [
  /** Every combination. */
  'full-factorial',
  /** A regular fraction of the combinations of factors with two levels each. */
  'fractional-factorial',
  /** All factors at their first level, and each factor alone at each of its others. */
  'one-at-a-time',
  /** All factors at their last level, and each factor alone back at its first. */
  'leave-one-out',
] as const;

const index = z.number().int().nonnegative();

const factorSchema = z.object({
  name: z.string(),
  /** What is varied: a stage as a whole, one of its options, the images that stages observe, or the seed, whose levels are replicates. */
  kind: z.enum(['stage', 'option', 'images', 'seed']),
  /** Names of the levels; the others are compared with the first. */
  levels: z.array(z.string()).min(1).readonly(),
});

/** An experiment: which factors it varies, and which variant stands for which combination of their levels. */
export const designSchema = z.object({
  kind: z.enum(designKinds),
  factors: z.array(factorSchema).readonly(),
  /** Several may have the same recipe, where a factor changes nothing of it. */
  points: z
    .array(
      z.object({
        recipe: z.string(),
        /** Index of each factor's level. */
        levels: z.array(index).readonly(),
      }),
    )
    .readonly(),
  /** Only of a fractional design. */
  fraction: z
    .object({
      /** Length of the shortest word of the defining relation: at 3 main effects are confounded with interactions of two factors. */
      resolution: z.number().int(),
      /** A factor is at its second level where an even number of the others is at its first. */
      generators: z.array(z.object({ factor: index, of: z.array(index).readonly() })).readonly(),
    })
    .optional(),
});

export type Design = z.infer<typeof designSchema>;
export type DesignFactor = Design['factors'][number];
export type DesignPoint = Design['points'][number];
