import { z } from 'zod';
import { fleetDeviceSchema } from './catalogue.js';
import type { Contract } from './contract.js';
import { jobSchema } from './queue.js';
import { cellSchema, runSchema } from './runs.js';

/**
 * What the stream tells, by the name of the event; its data is JSON. `reset` comes first on a new stream, and where a stream goes on that
 * cannot be made good: everything is to be fetched anew. Then each change once.
 */
export const eventSchemas = {
  reset: z.strictObject({}),
  /** A run that is new or has changed. */
  run: runSchema,
  /** A cell of a run that goes on. */
  cell: z.strictObject({ run: z.string(), cell: cellSchema }),
  /** A job that is new or has changed. */
  job: jobSchema,
  /** A device of a worker that is new or has changed. */
  device: fleetDeviceSchema,
  /** One whose worker has ended. */
  'device gone': z.strictObject({ name: z.string(), worker: z.string() }),
} as const;

export type EventName = keyof typeof eventSchemas;

/** What an event tells. */
export type EventData<Name extends EventName> = z.output<(typeof eventSchemas)[Name]>;

export const events = {
  method: 'GET',
  path: '/events',
  role: 'read',
  summary:
    'Server-sent events: runs, their cells, jobs and devices as they change; Last-Event-ID goes on where a stream broke off',
  query: z.object({}),
} as const satisfies Contract;
