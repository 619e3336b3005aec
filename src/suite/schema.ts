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

const TIERS = `How long a cell is measured, over all rounds: ${Object.entries(tiers)
  .map(
    ([tier, { minQueries, minSeconds, maxSeconds }]) =>
      `\`${tier}\` at least ${minQueries} queries and ${minSeconds} s, at most ${maxSeconds} s`,
  )
  .join('; ')}.`;

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
const publishedText = z
  .string()
  .min(1)
  .max(40)
  .optional()
  .describe('What that column of the table shows, as they published it.');

/** What others published for a like variant, shown beside ours and marked as theirs. */
export const publishedSchema = z.strictObject({
  source: z.string().describe('Where they were published.'),
  model: z.string().describe('The model they measured.'),
  hardware: z.string().describe('The hardware they measured on.'),
  figures: z.array(z.string()).min(1).describe('Their figures in words: `0.028 s for a batch of 64`.'),
  rows: z
    .array(
      z
        .strictObject({
          batch: count.optional().meta({ description: 'Their batch size.', unit: 'images' }),
          ...{ top1: publishedText, latency: publishedText, speedup: publishedText },
          ...{ memory: publishedText, reduction: publishedText, file: publishedText },
        })
        .refine((row) => Object.keys(row).some((key) => key !== 'batch'), 'a figure beside the batch size'),
    )
    .min(1)
    .optional()
    .describe('The same as rows of the table: `{ batch: 64, latency: 28 ms }`.'),
});

const published = publishedSchema
  .optional()
  .describe('Published figures for a comparable variant, shown next to yours and marked.');

export type Published = z.infer<typeof publishedSchema>;

/** Pixels of a side of an image. */
const imageSide = count.max(4096);

/** What is said of an ONNX file that is run as it is. */
const rawFile = {
  raw: z.string().describe('An `.onnx` file to run unchanged; its external data is next to it.'),
  output: z.string().min(1).optional().describe('Output with the logits, if the file has several.'),
  preprocessor: z
    .string()
    .optional()
    .describe('A `preprocessor_config.json`; default: the one next to the file.'),
};

const ofModel = 'Name of the model in tables and reports; default: derived from its source.';

/** A model of a suite: a directory or file, an ONNX file as it is, a model of the Hugging Face Hub, or an architecture with weights from a seed. */
const modelSchema = z.union([
  z.strictObject({
    name: name.optional().describe(ofModel),
    path: z.string().describe('Folder or file of the model.'),
  }),
  /** An ONNX file that is run as it is: no recipe is applied to it. */
  z.strictObject({ name: name.optional().describe(ofModel), ...rawFile }),
  z.strictObject({
    name: name.optional().describe(ofModel),
    hub: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, 'the id of a model on the Hub, owner/name')
      .describe('Id of a model on the Hugging Face Hub, `owner/name`.'),
    revision: z.string().default('main').describe('Branch, tag or commit on the Hub.'),
  }),
  z.strictObject({
    name: name.optional().describe(ofModel),
    synthetic: z
      .enum(['vit-tiny', 'vit-small', 'vit-base', 'vit-large', 'vit-huge'])
      .describe('An architecture with random weights, for speed and memory alone.'),
    imageSize: z
      .union([imageSide, z.tuple([imageSide, imageSide])])
      .default(224)
      .meta({ description: 'Side of the images, or height and width.', unit: 'pixels' }),
    seed: z.number().int().default(1).describe('Seed of the random weights.'),
  }),
]);

/** A suite as it is written. Paths are relative to the suite's file; recipes, devices and models of EdgeFlex's own go by their names, too. */
export const suiteSchema = z.strictObject({
  name: name.describe('Name of the suite, which its runs are stored under.'),
  plugins: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Modules with stages, datasets, device kinds or formats: paths relative to the suite, or package names.',
    ),
  description: z.string().default('').describe('One-line description.'),
  seed: z
    .number()
    .int()
    .default(1)
    .describe(
      'Seed of the calibration images, of the order of the cells and of everything else that is random.',
    ),
  /** Of a known dataset `path` says where its files are; left out, they are looked for as `edgeflex data` explains. */
  data: z
    .union([
      z.string().min(1),
      z.strictObject({
        name: z.string().min(1).optional().describe('A known dataset, or what yours is called.'),
        ...declarationFields,
      }),
    ])
    .describe('The images: a dataset by name, a file that declares one, or your own.'),
  models: z
    .array(modelSchema)
    .min(1)
    .describe('The models: each has one of `path`, `hub`, `synthetic` or `raw`.'),
  recipes: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ recipe: z.string().describe('A recipe file, or a recipe by name.'), published }),
        /** An ONNX file that stands beside the variants of a model as it is. */
        z.strictObject({
          name: name.optional().describe('Name of the variant.'),
          description: z
            .string()
            .default('An ONNX file, run as it is.')
            .describe('One-line description for the report.'),
          ...rawFile,
          model: name.optional().describe('The model it is compared with, if the suite has several.'),
          published,
        }),
        z.strictObject({
          name,
          description: z.string().default('').describe('One-line description for the report.'),
          stages: z
            .array(z.record(z.string(), z.unknown()))
            .describe('The stages in order, each with its options ([stages](stages.md)).'),
          microBatch: batch.optional().meta({
            description: 'Images the model runs at once; default: the whole batch.',
            unit: 'images',
          }),
          published,
        }),
      ]),
    )
    .default([])
    .describe('Recipes by name or file, or written out. `fp32`, the empty recipe, is always measured.'),
  devices: z.array(z.string()).min(1).describe('Device profiles by name or file ([devices](devices.md)).'),
  gates: z
    .array(gateSchema)
    .max(100)
    .default([])
    .describe(
      'Default gates of `edgeflex compare`: `latency:2%`, `accuracy:0.3pt`, `latency@int8:5%` for one variant.',
    ),
  head: suiteHeadSchema
    .optional()
    .describe(
      'Classifier for a model that has none for the classes of the images: `ridge`, `logistic` or `none`, or the options below.',
    ),
  accuracy: z
    .strictObject({
      batch: batch
        .default(64)
        .meta({ description: 'Batch size of the pass over the test images.', unit: 'images' }),
      images: count
        .optional()
        .meta({ description: 'Only the first so many test images; default: all.', unit: 'images' }),
    })
    .default({ batch: 64 })
    .describe('How accuracy is measured.'),
  performance: z
    .strictObject({
      batches: batchesSchema.default([1, 8]).meta({
        description: 'Batch sizes to time; an empty list measures accuracy and kernels alone.',
        unit: 'images',
      }),
      tier: tierSchema.default('quick').describe(TIERS),
      rounds: count
        .max(MAX_ROUNDS)
        .default(5)
        .describe('Fresh processes that share the measuring time of a cell.'),
      precision: precisionSchema
        .optional()
        .describe(
          'Measure further rounds until the speed of every variant against fp32 is known this well: half the width of its 95 % interval, as a share (0.01 for ±1 %). Default: no further rounds.',
        ),
      maxRounds: count
        .max(MAX_ROUNDS)
        .optional()
        .describe('Limit of the rounds of a cell with `precision`; default: 30.'),
    })
    .refine(({ rounds, maxRounds = rounds }) => maxRounds >= rounds, {
      path: ['maxRounds'],
      error: 'at least the number of rounds',
    })
    .default({ batches: [1, 8], tier: 'quick', rounds: 5 })
    .describe('How latency and memory are measured.'),
  load: z
    .strictObject({
      server: z
        .strictObject({
          batches: batchesSchema
            .min(1)
            .default([1])
            .meta({ description: 'Batch sizes of a query.', unit: 'images' }),
          p99: z
            .number()
            .positive()
            .max(MOST_BOUND_MS)
            .meta({ description: 'Bound of the p99 response time, from arrival to end.', unit: 'ms' }),
        })
        .optional()
        .describe('Queries that arrive at random times: the highest rate that meets the bound.'),
      offline: z
        .strictObject({
          batches: batchesSchema
            .min(1)
            .default([8])
            .meta({ description: 'Batch sizes of a query.', unit: 'images' }),
        })
        .optional()
        .describe('Queries that are all available from the start: throughput.'),
      tier: tierSchema.default('quick').describe(TIERS),
      rounds: count
        .max(MAX_ROUNDS)
        .default(5)
        .describe('Fresh processes; each searches for the rate on its own.'),
    })
    .refine(({ server, offline }) => server !== undefined || offline !== undefined, 'server, offline or both')
    .optional()
    .describe('Measurements under load ([how](../load.md)); default: none.'),
  matrix: matrixSchema
    .optional()
    .describe('Variants by factors, whose effects the report tells ([tutorial](../tutorials/ablation.md)).'),
});

export type SuiteFile = z.infer<typeof suiteSchema>;
