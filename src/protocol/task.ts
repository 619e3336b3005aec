import { z } from 'zod';

/** Version of the messages; an agent refuses a task of another. */
export const PROTOCOL_VERSION = 4;

/** How sessions are opened; the runtime room documents each field and has the defaults for what is left out. */
export const sessionOptionsSchema = z.strictObject({
  threads: z.number().int().positive(),
  memoryPattern: z.boolean().optional(),
  arena: z.boolean().optional(),
  spinning: z.boolean().optional(),
  x64QuantPrecision: z.boolean().optional(),
});

/** Where test images lie on the device. */
const imagesSchema = z.strictObject({
  files: z.array(z.strictObject({ path: z.string(), records: z.number().int().positive() })).min(1),
});

const session = { protocol: z.literal(PROTOCOL_VERSION), session: sessionOptionsSchema };

const batches = {
  /** The model's file. */
  model: z.string(),
  /** Images in a batch. */
  batch: z.number().int().positive(),
  /**
   * Images that go through the model at once; a batch is run in parts of so many. Equal to the batch unless the variant
   * says otherwise.
   */
  microBatch: z.number().int().positive(),
};

/**
 * Preprocesses a batch of test images and writes it to a file. In a process of its own: what preprocessing leaves in the
 * memory of a process would be taken for the runtime's base.
 */
const prepareTaskSchema = z.strictObject({
  kind: z.literal('prepare'),
  ...session,
  /** The preprocessing graph's file. */
  preprocess: z.string(),
  images: imagesSchema,
  /** The images of the batch, as indices into the test split. */
  indices: z.array(z.number().int().nonnegative()).min(1),
  /** The file to write: float32, `[images, channels, size, size]`. */
  output: z.string(),
});

/** Times the model: one batch of images, again and again. */
const performanceTaskSchema = z.strictObject({
  kind: z.literal('performance'),
  ...session,
  ...batches,
  /** The file that a prepare task wrote. */
  inputs: z.string(),
  /** Timed are at least so many queries, */
  minQueries: z.number().int().positive(),
  /** for at least so long, */
  minSeconds: z.number().positive(),
  /** but no longer than this. */
  maxSeconds: z.number().positive(),
  /** Warming up ends at the steady state, or here. */
  maxWarmupSeconds: z.number().positive(),
});

/** Runs the model a few times under the runtime's profiler and tells which kernels ran, and what each node took. */
const kernelsTaskSchema = z.strictObject({
  kind: z.literal('kernels'),
  ...session,
  ...batches,
  /** The file that a prepare task wrote. */
  inputs: z.string(),
  /** How often at most, fewer where one takes long; one more comes before them, which pays for what is done once. */
  runs: z.number().int().positive(),
});

/** Classifies test images once. */
const accuracyTaskSchema = z.strictObject({
  kind: z.literal('accuracy'),
  ...session,
  ...batches,
  /** The preprocessing graph's file. */
  preprocess: z.string(),
  images: imagesSchema,
  /** The first so many images of the test split. */
  count: z.number().int().positive(),
});

/**
 * Measures how far apart the cores are that threads run on. It opens no runtime: a process of its own, because threads leave
 * something in the memory of theirs.
 */
const placementTaskSchema = z.strictObject({ kind: z.literal('placement'), ...session });

/** What an agent is asked to do: one task for each process, the first line it reads. */
export const taskSchema = z.discriminatedUnion('kind', [
  prepareTaskSchema,
  performanceTaskSchema,
  kernelsTaskSchema,
  accuracyTaskSchema,
  placementTaskSchema,
]);

export type PrepareTask = z.infer<typeof prepareTaskSchema>;
export type PerformanceTask = z.infer<typeof performanceTaskSchema>;
export type AccuracyTask = z.infer<typeof accuracyTaskSchema>;
export type KernelsTask = z.infer<typeof kernelsTaskSchema>;
export type Task = z.infer<typeof taskSchema>;
