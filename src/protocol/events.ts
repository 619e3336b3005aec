import { z } from 'zod';
import { conditionsSchema } from './conditions.js';
import { memoryMeansSchema } from './memory-means.js';
import { sessionOptionsSchema } from './task.js';

/** The parts of a task, in the order they happen. */
export const phases = ['runtime', 'prepare', 'load', 'first', 'warmup', 'steady'] as const;

export type Phase = (typeof phases)[number];

const bytes = z.number().nonnegative();

/** Texts of an agent have an end. */
const text = (length: number): z.ZodString => z.string().max(length);

/**
 * Memory in bytes at the end of a phase. A device gives what it can see: a process its resident set, a page its GPU buffers.
 */
export const memorySchema = z.strictObject({
  /** Resident now. */
  resident: bytes.optional(),
  /** Most that was resident, since the phase or the process began: see `MemoryMeans`. */
  peakResident: bytes.optional(),
  /** Of the resident: not backed by a file. */
  anonymous: bytes.optional(),
  /** Of the resident: pages of mapped files. */
  fileBacked: bytes.optional(),
  /** Of the agent's control group: in use now, and the most since the phase began. */
  groupCurrent: bytes.optional(),
  groupPeak: bytes.optional(),
  /** Buffers on the GPU that the page has made and not given back: now, and the most since the phase began. */
  gpuBuffers: bytes.optional(),
  peakGpuBuffers: bytes.optional(),
  /** WebAssembly memory; it grows and never shrinks, so that this is also its peak. */
  wasmHeap: bytes.optional(),
  /** JavaScript's heap. */
  jsHeap: bytes.optional(),
  /** The browser's renderer processes: resident, the most since the phase began, and their share of pages that others map too. */
  renderersResident: bytes.optional(),
  renderersPeakResident: bytes.optional(),
  renderersProportional: bytes.optional(),
  /** The browser's GPU process, likewise. */
  gpuProcessResident: bytes.optional(),
  gpuProcessPeakResident: bytes.optional(),
  gpuProcessProportional: bytes.optional(),
});

export type Memory = z.infer<typeof memorySchema>;

/** Milliseconds since a trial began. */
const moment = z.number().nonnegative();

/** Queries in one message at most. */
export const MOST_SERVED = 5000;

/** What an agent says while it works, one JSON object a line. */
export const eventSchema = z.discriminatedUnion('event', [
  /** The runtime is loaded. */
  z.strictObject({
    event: z.literal('started'),
    runtime: z.strictObject({ name: text(256), version: text(256), provider: text(256) }),
    platform: text(256),
    /** The options its sessions are opened with, defaults filled in. */
    session: sessionOptionsSchema.required({ memoryPattern: true, arena: true, spinning: true }),
    /** By what the agent knows its memory; null where the device does not tell a peak. */
    memoryMeans: memoryMeansSchema.nullable(),
  }),
  /** A phase is over. */
  z.strictObject({
    event: z.literal('phase'),
    phase: z.enum(phases),
    milliseconds: z.number().nonnegative(),
    /** Processor time of the agent, of all its threads; left out where the device does not tell. */
    cpuMilliseconds: z.number().nonnegative().optional(),
    memory: memorySchema,
  }),
  /** What the device was like during a phase. */
  z.strictObject({ event: z.literal('conditions'), phase: z.enum(phases), conditions: conditionsSchema }),
  /** How the warm-up went. */
  z.strictObject({ event: z.literal('warmedUp'), queries: z.number().int(), steady: z.boolean() }),
  /** Latencies of the next timed queries, in milliseconds. */
  z.strictObject({ event: z.literal('latencies'), milliseconds: z.array(z.number().nonnegative()) }),
  /**
   * The next queries of the trial that goes on: when each was to arrive, was started and ended, in milliseconds since the trial began.
   * Lists of one length.
   */
  z.strictObject({
    event: z.literal('served'),
    scheduled: z.array(moment).min(1).max(MOST_SERVED),
    started: z.array(moment).min(1).max(MOST_SERVED),
    ended: z.array(moment).min(1).max(MOST_SERVED),
  }),
  /** A trial is over: the queries that were served since the one before are its. */
  z.strictObject({
    event: z.literal('trial'),
    /** Queries a second; null where all were there from the beginning. */
    rate: z.number().positive().nullable(),
    /** How many queries it was to have. */
    planned: z.number().int().positive(),
  }),
  /** Logits of the next images: float32, little-endian, base64. */
  z.strictObject({
    event: z.literal('logits'),
    first: z.number().int().nonnegative(),
    classes: z.number().int().positive(),
    values: z.string(),
  }),
  /** The nodes that ran, after the runtime's own fusions. */
  z.strictObject({
    event: z.literal('kernels'),
    nodes: z.array(
      z.strictObject({
        node: text(1024),
        opType: text(256),
        provider: text(256),
        /** How often in one query. */
        calls: z.number().int().positive(),
        /** In each query, of all its calls, on the processor. */
        milliseconds: z.array(z.number().nonnegative()).min(1),
        /** The same on the GPU, by its own clock. */
        gpuMilliseconds: z.array(z.number().nonnegative()).min(1).optional(),
      }),
    ),
  }),
  /** How long a cache line takes from one core to another, in nanoseconds: of each burst. */
  z.strictObject({ event: z.literal('placement'), nanoseconds: z.array(z.number().positive()).max(1000) }),
  /** How far the task is, from 0 to 1. */
  z.strictObject({ event: z.literal('progress'), done: z.number().min(0).max(1) }),
  /** The task is done; nothing follows. */
  z.strictObject({ event: z.literal('finished') }),
  /** The task could not be done, or cannot be done on this device, which is no fault; nothing follows. */
  z.strictObject({
    event: z.literal('failed'),
    reason: text(64 * 1024),
    unsupported: z.boolean().optional(),
  }),
]);

export type AgentEvent = z.infer<typeof eventSchema>;

/** What one node of a model took, query by query. */
export type NodeTime = Extract<AgentEvent, { event: 'kernels' }>['nodes'][number];
