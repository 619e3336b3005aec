import { randomUUID } from 'node:crypto';
import { afterEach } from 'vitest';
import type { NewJob, OfferedDevice, Submission, TakenJob, WorkerRecord } from '../../src/queue/jobs.js';
import { JobQueue } from '../../src/queue/queue.js';
import { readRequirements } from '../../src/queue/requirements.js';
import { useDatabase } from '../support/postgres.js';

/** The version that workers and submissions of tests say that they are of. */
const VERSION = '1.2.3';

/** A suite of six cells and eight rounds, timed as shortly as a tier allows; its device lies beside it. */
export const SUITE = `
name: tiny
data: shapes10
models: [{ name: micro, path: vit-micro-shapes10 }]
recipes: [{ name: int8, stages: [{ quantize: { alpha: "off", images: 8, rows: 16 } }] }]
devices: [here.yaml]
accuracy: { batch: 16, images: 40 }
performance: { batches: [2], tier: smoke, rounds: 2 }
`;
export const ROUNDS = 8;
export const CELLS = 6;

/** What tests of the queue work with: a database of its own for each. */
export interface QueueBench {
  readonly url: () => string;
  /** Another process's view of the queue. */
  readonly open: () => Promise<JobQueue>;
}

/** Gives every test of a file an empty database, and closes the queues that it opens. */
export function useQueues(): QueueBench {
  const url = useDatabase();
  const opened: JobQueue[] = [];
  // Before the database goes.
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
  });
  return {
    url,
    open: async () => {
      const queue = await JobQueue.open(url());
      opened.push(queue);
      return queue;
    },
  };
}

/** A worker that has just been started. */
export function worker(name: string, changes: Partial<WorkerRecord> = {}): WorkerRecord {
  return { name, process: randomUUID(), host: name, version: VERSION, leaseSeconds: 30, ...changes };
}

/** A device of a machine of its own. */
export function device(name: string, changes: Partial<OfferedDevice> = {}): OfferedDevice {
  return { name, profile: name, host: `ssh ${name}`, class: 'any', labels: {}, ...changes };
}

/** A submission of one job for each place. */
export function submission(
  places: readonly { readonly device?: string; readonly needs?: string; readonly identical?: boolean }[],
  changes: Partial<Submission> = {},
): Submission {
  return {
    run: {
      ...{ id: `run-${randomUUID().slice(0, 8)}`, uid: randomUUID(), places: places.length },
      ...{ startedAt: new Date().toISOString(), repository: null },
    },
    ...{ suite: 'tiny', person: 'ada', command: 'edgeflex submit tiny', version: VERSION },
    ...{ plan: { name: 'tiny' }, plugins: [], priority: 0 },
    jobs: places.map(({ device: name = null, needs, identical = false }, index): NewJob => ({
      ...{ id: randomUUID(), queue: 'measure', place: index + 1, device: name, identical },
      needs: needs === undefined ? [] : readRequirements(needs),
    })),
    ...changes,
  };
}

/** Takes a job that must be there. */
export async function taken(queue: JobQueue, by: WorkerRecord, on: OfferedDevice): Promise<TakenJob> {
  const job = await queue.take('measure', by, on);
  if (job === undefined) throw new Error(`there is no job for ${on.name}`);
  return job;
}
