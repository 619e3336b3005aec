import { z } from 'zod';

/** Version of the messages; an agent refuses a task of another. */
export const PROTOCOL_VERSION = 6;

/** How sessions are opened; the runtime room documents each field and has the defaults for what is left out. */
export const sessionOptionsSchema = z.strictObject({
  threads: z.number().int().positive(),
  memoryPattern: z.boolean().optional(),
  arena: z.boolean().optional(),
  spinning: z.boolean().optional(),
  x64QuantPrecision: z.boolean().optional(),
});

/** Where test images lie on the device, and how. */
const imagesSchema = z.strictObject({
  /** A record is bytes of a label, then a plane of pixels for each channel, row by row. */
  layout: z.strictObject({
    height: z.number().int().positive(),
    width: z.number().int().positive(),
    /** Left out, three. */
    channels: z.number().int().positive().optional(),
    labelBytes: z.number().int().nonnegative(),
  }),
  files: z.array(z.strictObject({ path: z.string(), records: z.number().int().positive() })).min(1),
});

const session = { protocol: z.literal(PROTOCOL_VERSION), session: sessionOptionsSchema };

/** Queries of a trial of which a p99 is asked: of fewer, none lies beyond it. */
export const LEAST_OFFERED_QUERIES = 100;

/** Queries that are offered at once at most: each is a row of the database. */
export const MOST_OFFERED_QUERIES = 100_000;

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
  /** Channels, height and width of an image as the model takes it; left out, a square of three channels. */
  image: z.array(z.number().int().positive()).length(3).optional(),
  /** What the model leaves open of its input's shape, by name, where it is to be fixed while the model is loaded. */
  freeDimensions: z.record(z.string(), z.number().int().positive()).optional(),
  /** The output that gives the logits; left out, the first. */
  output: z.string().min(1).optional(),
  /** Whether the model takes exactly so many images as `microBatch` says: a last part that has fewer is filled up. */
  wholeParts: z.boolean().optional(),
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
  /** The file to write: float32, `[images, channels, height, width]`. */
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

/**
 * Loads the model and runs it a few times: for its memory alone, where an agent that times it holds what is none of the model's. The
 * phases are those of a timed pass, without its warm-up.
 */
const memoryTaskSchema = z.strictObject({
  kind: z.literal('memory'),
  ...session,
  ...batches,
  /** The file that a prepare task wrote. */
  inputs: z.string(),
  /** How often at most after the first run, but no longer than this. */
  runs: z.number().int().positive(),
  maxSeconds: z.number().positive(),
});

/** What serves queries: a session that is warmed up, and its images. */
const served = {
  ...session,
  ...batches,
  /** The file that a prepare task wrote. */
  inputs: z.string(),
  /** Warming up ends at the steady state, or here. */
  maxWarmupSeconds: z.number().positive(),
};

/** Offers queries that arrive by a schedule at one rate after the other, and looks for the highest that holds: see `stats/rate-search.ts`. */
const serverTaskSchema = z.strictObject({
  kind: z.literal('server'),
  ...served,
  /**
   * When queries arrive at a rate of one in a unit of time, ascending: the same on every device and for every variant. At a rate they
   * arrive at these divided by it. A trial takes the first of them: see `queries`.
   */
  arrivals: z.array(z.number().positive()).min(LEAST_OFFERED_QUERIES).max(MOST_OFFERED_QUERIES),
  /**
   * A trial has at least so many queries, and as many as its bound needs (`enoughQueries`), but no more than there are arrivals. Where a
   * search would not fit into its time it has fewer, a hundred at least.
   */
  queries: z.number().int().min(LEAST_OFFERED_QUERIES),
  /** The bound of the p99 of the response time, in milliseconds. */
  p99: z.number().positive(),
  /** All rates together are tried for no longer than this. */
  maxSeconds: z.number().positive(),
});

/** Serves queries that are all there from the beginning, one after the other. */
const offlineTaskSchema = z.strictObject({
  kind: z.literal('offline'),
  ...served,
  /** At least so many queries, */
  minQueries: z.number().int().positive(),
  /** and as many as take about so long, by what the last of the warm-up took, */
  minSeconds: z.number().positive(),
  /** but for no longer than this. */
  maxSeconds: z.number().positive(),
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
  memoryTaskSchema,
  serverTaskSchema,
  offlineTaskSchema,
  kernelsTaskSchema,
  accuracyTaskSchema,
  placementTaskSchema,
]);

export type PrepareTask = z.infer<typeof prepareTaskSchema>;
export type PerformanceTask = z.infer<typeof performanceTaskSchema>;
export type MemoryTask = z.infer<typeof memoryTaskSchema>;
export type ServerTask = z.infer<typeof serverTaskSchema>;
export type OfflineTask = z.infer<typeof offlineTaskSchema>;
/** What times a model in a session that is warm. */
export type TimedTask = PerformanceTask | ServerTask | OfflineTask;
export type AccuracyTask = z.infer<typeof accuracyTaskSchema>;
export type KernelsTask = z.infer<typeof kernelsTaskSchema>;
export type Task = z.infer<typeof taskSchema>;

/**
 * Whether a task times a model in a session that is warm.
 *
 * @param task - any
 */
export function isTimedTask(task: Task): task is TimedTask {
  return task.kind === 'performance' || task.kind === 'server' || task.kind === 'offline';
}
