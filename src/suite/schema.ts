import { z } from 'zod';
import { gateSchema } from '../base/gate.js';
import { MAX_BATCH, MAX_ROUNDS } from '../base/limits.js';

/**
 * How long a cell is measured: at least so many queries and seconds, and at most so many seconds, over all rounds together.
 * `rapid` answers a question, `quick` a doubt, `normal` a reviewer. `smoke` only shows that everything runs: its latencies are
 * flagged.
 */
export const tiers = {
  smoke: { minQueries: 8, minSeconds: 0.2, maxSeconds: 10 },
  rapid: { minQueries: 64, minSeconds: 6, maxSeconds: 60 },
  quick: { minQueries: 128, minSeconds: 10, maxSeconds: 60 },
  normal: { minQueries: 1024, minSeconds: 60, maxSeconds: 600 },
} as const;

/** Name of a tier. */
export type Tier = keyof typeof tiers;

const name = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9.+-]*$/i, 'a name of letters, digits, ".", "+" and "-"');
const count = z.number().int().positive();
const batch = count.max(MAX_BATCH);

/** How well the speed of a variant is to be known: a share. */
export const precisionSchema = z.number().gt(0).lt(1);

/** What others published for a like variant, shown beside ours and marked as theirs. */
export const publishedSchema = z.strictObject({
  source: z.string(),
  model: z.string(),
  hardware: z.string(),
  /** Their figures, in words: `0.028 s for a batch of 64`. */
  figures: z.array(z.string()).min(1),
});

export type Published = z.infer<typeof publishedSchema>;

/** A model of a suite: a directory, a model of the Hugging Face Hub, or an architecture with weights from a seed. */
const modelSchema = z.union([
  z.strictObject({ name: name.optional(), path: z.string() }),
  z.strictObject({
    name: name.optional(),
    /** Its id, `owner/name`. */
    hub: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'the id of a model on the Hub, owner/name'),
    /** A branch, a tag or a commit. */
    revision: z.string().default('main'),
  }),
  z.strictObject({
    name: name.optional(),
    synthetic: z.enum(['vit-tiny', 'vit-small', 'vit-base', 'vit-large', 'vit-huge']),
    imageSize: count.max(4096).default(224),
    seed: z.number().int().default(1),
  }),
]);

/** A suite as it is written. Paths are relative to the suite's file. */
export const suiteSchema = z.strictObject({
  name,
  /** Modules that bring stages, datasets, kinds of device or formats: paths beside the suite, or names of packages. */
  plugins: z.array(z.string().min(1)).default([]),
  description: z.string().default(''),
  /** Determines calibration images, the order of the cells and everything else that is drawn. */
  seed: z.number().int().default(1),
  data: z.strictObject({
    /** A dataset of EdgeFlex's own, or of a plug-in. */
    name: z.string(),
    /** Where the images lie; left out, they are looked for as `edgeflex data` explains. */
    path: z.string().optional(),
  }),
  models: z.array(modelSchema).min(1),
  /** Recipe files, or recipes written out. `fp32`, the empty recipe, is always measured. */
  recipes: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ recipe: z.string(), published: publishedSchema.optional() }),
        z.strictObject({
          name,
          description: z.string().default(''),
          stages: z.array(z.record(z.string(), z.unknown())),
          microBatch: batch.optional(),
          published: publishedSchema.optional(),
        }),
      ]),
    )
    .default([]),
  /** Device profiles. */
  devices: z.array(z.string()).min(1),
  /**
   * What "edgeflex compare" fails on where it is not told otherwise: `latency:2%`, `accuracy:0.3pt`, `latency@int8:5%` for one variant.
   */
  gates: z.array(gateSchema).max(100).default([]),
  accuracy: z
    .strictObject({
      batch: batch.default(64),
      /** The first so many test images; left out, all of them. */
      images: count.optional(),
    })
    .default({ batch: 64 }),
  performance: z
    .strictObject({
      /** Batch sizes to time; none, where only accuracy and kernels are asked for. */
      batches: z
        .array(batch)
        .max(32)
        .refine((sizes) => new Set(sizes).size === sizes.length, 'different batch sizes')
        .default([1, 8]),
      tier: z.enum(['smoke', 'rapid', 'quick', 'normal']).default('quick'),
      /** Fresh processes that a cell's measuring time is divided among. */
      rounds: count.max(MAX_ROUNDS).default(5),
      /**
       * After these rounds more follow until every variant's speed against fp32 is known to so much: half of the width of its 95 %
       * interval, as a share; 0.01 for ± 1 %. Left out, there are no more.
       */
      precision: precisionSchema.optional(),
      /** But a cell gets no more rounds than this; left out, 30. */
      maxRounds: count.max(MAX_ROUNDS).optional(),
    })
    .refine(({ rounds, maxRounds = rounds }) => maxRounds >= rounds, {
      path: ['maxRounds'],
      error: 'no fewer than the rounds that there are anyway',
    })
    .default({ batches: [1, 8], tier: 'quick', rounds: 5 }),
});

export type SuiteFile = z.infer<typeof suiteSchema>;
