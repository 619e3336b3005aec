import { z } from 'zod';
import { flagQuery, momentSchema, word, type Contract } from './contract.js';

/** A job: one place of a run. */
export const jobSchema = z
  .strictObject({
    id: z.string(),
    queue: z.enum(['measure', 'compress']),
    /** The run's name: it is stored under it as soon as something of it is delivered. */
    run: z.string(),
    place: z.number(),
    suite: z.string(),
    person: z.string(),
    priority: z.number(),
    state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
    /** How many of its queue come first, among those that wait; null for others. */
    ahead: z.number().nullable(),
    /** Device that is asked for; null for any that meets `needs`. */
    device: z.string().nullable(),
    /** Such as `vnni, memory>=8GiB`; empty where nothing is needed. */
    needs: z.string(),
    /** Who works on it, and where. */
    worker: z.string().nullable(),
    on: z.string().nullable(),
    /** Rounds that the queue has of it. */
    rounds: z.number(),
    failedCells: z.number().nullable(),
    reason: z.string().nullable(),
    /** Ready devices that may have it. */
    candidates: z.number(),
    submittedAt: momentSchema,
    endedAt: momentSchema.nullable(),
  })
  .meta({ id: 'Job' });

export const queue = {
  method: 'GET',
  path: '/queue',
  role: 'read',
  summary: 'Jobs: those that are worked on, then those that wait, by what comes first',
  query: z.object({
    /** Include the newest that have ended. */
    all: flagQuery,
  }),
  response: z.strictObject({ jobs: z.array(jobSchema) }).meta({ id: 'Queue' }),
} as const satisfies Contract;

export const submit = {
  method: 'POST',
  path: '/queue',
  role: 'submit',
  summary: 'Submit a suite, as "edgeflex submit" does',
  writes: 'queue.submit',
  status: 201,
  body: z.strictObject({
    /** YAML. Models, recipes and devices by name: no files of this machine, no plug-ins. */
    suite: z.string().min(1).max(200_000),
    /** Devices of the fleet in place of the suite's. */
    devices: z.array(word).max(1000).optional(),
    /** One device for each, such as `vnni,memory>=8GiB`. */
    needs: z.array(word).max(1000).optional(),
    priority: z.number().int().min(0).max(999_999_999).optional(),
    /** Let an identical device go on with what a lost one has begun. */
    identical: z.boolean().optional(),
    /** Compress in a job of its own. */
    compressFirst: z.boolean().optional(),
  }),
  response: z
    .strictObject({
      /** Global id of the run, and its name. */
      id: z.string(),
      run: z.string(),
      suite: z.string(),
      jobs: z.number(),
    })
    .meta({ id: 'Submitted' }),
} as const satisfies Contract;

export const cancel = {
  method: 'DELETE',
  path: '/queue/:id',
  role: 'submit',
  summary: 'Cancel a job, or all jobs of a run that have not ended',
  writes: 'queue.cancel',
  /** The id of a job, or the name of a run. */
  params: z.object({ id: word }),
  response: z.strictObject({ cancelled: z.number() }).meta({ id: 'Cancelled' }),
} as const satisfies Contract;

export const drain = {
  method: 'POST',
  path: '/queue/devices/:name/drain',
  role: 'admin',
  summary: 'Let the worker of a device end after the jobs that it has',
  writes: 'device.drain',
  params: z.object({ name: word }),
  response: z.strictObject({ workers: z.array(z.string()) }).meta({ id: 'Drained' }),
} as const satisfies Contract;
