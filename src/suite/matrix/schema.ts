import { z } from 'zod';
import { designKinds } from '../../base/design.js';

/** What a suite says of variants that are made by varying stages and options, see `docs/tutorials/ablation.md`. */
export const matrixSchema = z.strictObject({
  /** The whole pipeline, in order: each stage with its options, under a label of its own. */
  stages: z.record(z.string(), z.record(z.string(), z.unknown())),
  /**
   * What is varied, and its levels, of which the first is what the others are compared with: a stage by its label (`off`, `on`, or
   * options in place of its own), `label.option`, `images` or `seed`. Left out, every stage is off and on.
   */
  factors: z.record(z.string(), z.array(z.unknown()).min(2).max(32)).optional(),
  /** Which combinations of the levels are measured. */
  design: z.enum(designKinds).default('full-factorial'),
  /** The least resolution of a fractional design. */
  resolution: z.number().int().min(3).max(9).optional(),
  /** Combinations that are left out: levels by factor, of which all must hold. */
  exclude: z.array(z.record(z.string(), z.unknown())).max(100).default([]),
  /** What a variant is called: `{stages}`, and `{factor}` for the level of a factor. */
  name: z.string().min(1).max(200).optional(),
});

/** A matrix as a suite has it. */
export type MatrixFile = z.infer<typeof matrixSchema>;
