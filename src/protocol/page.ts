import { z } from 'zod';
import { gpuSchema } from './environment.js';
import { memorySchema } from './events.js';
import { memoryMeansSchema } from './memory-means.js';
import { taskSchema } from './task.js';

/** What a page is told when it asks what to do: to say where it runs, or to do a task. Paths in the task are URLs. */
export const pageRequestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('identify'), powerPreference: z.string().optional() }),
  z.strictObject({
    kind: z.literal('task'),
    provider: z.enum(['webgpu', 'wasm']),
    powerPreference: z.enum(['high-performance', 'low-power']).optional(),
    task: taskSchema,
  }),
]);

export type PageRequest = z.infer<typeof pageRequestSchema>;

/** What a page says of where it runs. */
export const identitySchema = z.strictObject({
  event: z.literal('identified'),
  userAgent: z.string().max(1000),
  /** Logical processors that the browser admits to. */
  processors: z.number().int().positive(),
  /** Memory that the browser admits to, in bytes; most browsers do not say more than 8 GiB. */
  memoryBytes: z.number().nonnegative(),
  /** Whether the page may share memory between threads. */
  isolated: z.boolean(),
  /** The adapter that WebGPU gives; null without one. */
  gpu: gpuSchema.nullable(),
});

export type PageIdentity = z.infer<typeof identitySchema>;

/** What the harness says of the processes of the page's browser when the page asks, and their peaks begin anew. */
export const processesSchema = z.strictObject({
  /** By what it knows their memory; null where it cannot see them. */
  means: memoryMeansSchema.nullable(),
  memory: memorySchema,
});

export type BrowserProcesses = z.infer<typeof processesSchema>;

/** Name of the function, given to the page by the harness, that takes what the page says, as JSON. */
export const SAY = 'edgeflexSay';
