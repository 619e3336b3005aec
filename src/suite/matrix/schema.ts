import { z } from 'zod';
import { designKinds } from '../../base/design.js';

/** What a suite says of variants that are made by varying stages and options, see `docs/tutorials/ablation.md`. */
export const matrixSchema = z.strictObject({
  stages: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .describe('The whole pipeline in order: each stage with its options, under a label.'),
  factors: z
    .record(z.string(), z.array(z.unknown()).min(2).max(32))
    .optional()
    .describe(
      'What varies, with its levels, the reference level first: a stage by its label (`off`, `on`, or other options), `label.option`, `images` or `seed`. Default: every stage off and on.',
    ),
  design: z
    .enum(designKinds)
    .default('full-factorial')
    .describe('Which combinations of levels are measured.'),
  resolution: z
    .number()
    .int()
    .min(3)
    .max(9)
    .optional()
    .describe('Minimum resolution of a fractional factorial design.'),
  exclude: z
    .array(z.record(z.string(), z.unknown()))
    .max(100)
    .default([])
    .describe('Combinations to leave out: levels by factor, all of which must match.'),
  name: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Pattern of the names of variants: `{stages}`, and `{factor}` for the level of a factor.'),
});

/** A matrix as a suite has it. */
export type MatrixFile = z.infer<typeof matrixSchema>;
