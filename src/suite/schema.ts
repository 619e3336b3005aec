import { z } from 'zod';
import { gateSchema } from '../base/gate.js';
import { MAX_BATCH, MAX_ROUNDS } from '../base/limits.js';
import { declarationFields } from '../data/sets/declaration.js';
import { suiteHeadSchema } from './head.js';
import { matrixSchema } from './matrix/schema.js';

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

/**
 * How a search for the highest rate is bounded at a tier, in each round: the least number of queries of each rate that is tried, and the
 * seconds that all of them together take at most.
 */
export const serverTiers = {
  smoke: { queries: 100, maxSeconds: 5 },
  rapid: { queries: 200, maxSeconds: 20 },
  quick: { queries: 500, maxSeconds: 60 },
  normal: { queries: 2000, maxSeconds: 300 },
} as const satisfies Record<keyof typeof tiers, object>;

/** Name of a tier. */
export type Tier = keyof typeof tiers;

const name = z
  .string()
  .max(100)
  .regex(/^[a-z0-9][a-z0-9.+-]*$/i, 'a name of letters, digits, ".", "+" and "-"');
/** An hour: no query takes longer. */
const MOST_BOUND_MS = 3_600_000;

const count = z.number().int().positive();
const batch = count.max(MAX_BATCH);

/** The name of a tier, as suites and options have it. */
export const tierSchema = z.enum(Object.keys(tiers) as [Tier, ...Tier[]]);

/** Batch sizes to time. */
export const batchesSchema = z
  .array(batch)
  .max(32)
  .refine((sizes) => new Set(sizes).size === sizes.length, 'different batch sizes');

/** How well the speed of a variant is to be known: a share. */
const precisionSchema = z.number().gt(0).lt(1);

/** A figure of others as they give it. */
const publishedText = z.string().min(1).max(40).optional();

/** What others published for a like variant, shown beside ours and marked as theirs. */
export const publishedSchema = z.strictObject({
  source: z.string(),
  model: z.string(),
  hardware: z.string(),
  /** Their figures, in words: `0.028 s for a batch of 64`. */
  figures: z.array(z.string()).min(1),
  /** The same in the columns of our table, so that they stand beside ours: `{ batch: 64, latency: 28 ms }`. */
  rows: z
    .array(
      z
        .strictObject({
          batch: count.optional(),
          ...{ top1: publishedText, latency: publishedText, speedup: publishedText },
          ...{ memory: publishedText, reduction: publishedText, file: publishedText },
        })
        .refine((row) => Object.keys(row).some((key) => key !== 'batch'), 'a figure beside the batch size'),
    )
    .min(1)
    .optional(),
});

export type Published = z.infer<typeof publishedSchema>;

/** Pixels of a side of an image. */
const imageSide = count.max(4096);

/** What is said of an ONNX file that is run as it is. */
const rawFile = {
  /** The `.onnx` file; its external data lies beside it. */
  raw: z.string(),
  /** The output that gives the logits, where there are several. */
  output: z.string().min(1).optional(),
  /** A `preprocessor_config.json`; left out, the one beside the file. */
  preprocessor: z.string().optional(),
};

/** A model of a suite: a directory or file, an ONNX file as it is, a model of the Hugging Face Hub, or an architecture with weights from a seed. */
const modelSchema = z.union([
  z.strictObject({ name: name.optional(), path: z.string() }),
  /** An ONNX file that is run as it is: no recipe is applied to it. */
  z.strictObject({ name: name.optional(), ...rawFile }),
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
    /** Side of the images in pixels, or height and width. */
    imageSize: z.union([imageSide, z.tuple([imageSide, imageSide])]).default(224),
    seed: z.number().int().default(1),
  }),
]);

/** A suite as it is written. Paths are relative to the suite's file; recipes, devices and models of EdgeFlex's own go by their names, too. */
export const suiteSchema = z.strictObject({
  name,
  /** Modules that bring stages, datasets, kinds of device or formats: paths beside the suite, or names of packages. */
  plugins: z.array(z.string().min(1)).default([]),
  description: z.string().default(''),
  /** Determines calibration images, the order of the cells and everything else that is drawn. */
  seed: z.number().int().default(1),
  /**
   * A dataset of EdgeFlex's own, of a plug-in or declared in a file of its own, by its name; or images of a user's own, by where they
   * lie. Of a known dataset `path` says where its files are; left out, they are looked for as `edgeflex data` explains.
   */
  data: z.union([
    z.string().min(1),
    z.strictObject({ name: z.string().min(1).optional(), ...declarationFields }),
  ]),
  models: z.array(modelSchema).min(1),
  /** Recipe files, or recipes written out. `fp32`, the empty recipe, is always measured. */
  recipes: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ recipe: z.string(), published: publishedSchema.optional() }),
        /** An ONNX file that stands beside the variants of a model as it is. */
        z.strictObject({
          name: name.optional(),
          description: z.string().default('An ONNX file, run as it is.'),
          ...rawFile,
          /** The model that it stands beside, where the suite has several. */
          model: name.optional(),
          published: publishedSchema.optional(),
        }),
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
  /** The head of a model that brings none for the classes of the images, and whether heads are fitted anew behind the recipes. */
  head: suiteHeadSchema.optional(),
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
      batches: batchesSchema.default([1, 8]),
      tier: tierSchema.default('quick'),
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
      error: 'at least the number of rounds',
    })
    .default({ batches: [1, 8], tier: 'quick', rounds: 5 }),
  /** Load other than one query after the other, beside that; left out, there is none. */
  load: z
    .strictObject({
      /** Queries that arrive at random moments, whatever the model does: the highest rate at which the p99 of the response time holds. */
      server: z
        .strictObject({
          /** Images of a query. */
          batches: batchesSchema.min(1).default([1]),
          /** The bound of the p99, in milliseconds from a query's arrival to its end. */
          p99: z.number().positive().max(MOST_BOUND_MS),
        })
        .optional(),
      /** Queries that are all there from the beginning: how many images a second. */
      offline: z.strictObject({ batches: batchesSchema.min(1).default([8]) }).optional(),
      tier: tierSchema.default('quick'),
      /** Fresh processes; a search for a rate is made in each. */
      rounds: count.max(MAX_ROUNDS).default(5),
    })
    .refine(({ server, offline }) => server !== undefined || offline !== undefined, 'server, offline or both')
    .optional(),
  /** Further recipes: combinations of stages, options, images and seeds, whose effects the report tells apart. */
  matrix: matrixSchema.optional(),
});

export type SuiteFile = z.infer<typeof suiteSchema>;
