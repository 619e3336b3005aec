import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { defined } from '../../src/base/defined.js';
import { installedVersion } from '../../src/base/paths.js';
import { openImages } from '../../src/library/images.js';
import { loadedPlugins } from '../../src/plugins/load.js';
import { SharedResults } from '../../src/queue/deliver.js';
import { measuringDevice } from '../../src/queue/devices.js';
import type { WorkerRecord } from '../../src/queue/jobs.js';
import { JobQueue } from '../../src/queue/queue.js';
import { planSubmission } from '../../src/queue/submit.js';
import { Worker } from '../../src/queue/worker.js';
import { executeSuite } from '../../src/run/execute.js';
import { openStore } from '../../src/store/open.js';
import { readSuite } from '../../src/suite/read.js';
import type { PostgresServer } from '../../test/support/postgres/server.js';
import { boardNames, CELLS_PER_JOB, prepareFleet, profileOf } from './prepare.js';
import { processorSeconds } from './processor-time.js';

/** What the queue costs a worker of so many devices, and the server. */
export interface Overhead {
  readonly devices: number;
  readonly jobs: number;
  /** Processor time of a job in milliseconds: of the worker beyond what the same measurements take without a queue, and of the server. */
  readonly workerMilliseconds: number;
  readonly serverMilliseconds: number;
  /** What the same measurements take without a queue. */
  readonly harnessMilliseconds: number;
  /** Statements of a job, those that begin and end transactions included. */
  readonly queries: number;
  /** Of a second in which all devices are idle. */
  readonly idle: { readonly queries: number; readonly milliseconds: number };
  /** A cell that takes so long makes the worker's and the server's processor time 2 % of measuring. */
  readonly cellSecondsAtTwoPercent: number;
}

/** What an hour of nothing would tell as well as. */
const IDLE_SECONDS = 10;

const SHARE = 0.02;

/**
 * Measures what the queue costs with simulated boards that take no time at all.
 *
 * @param folder - empty
 * @param server - with `pg_stat_statements`
 * @param devices - how many
 * @param jobsPerDevice - of each
 */
export async function overheadOf(
  folder: string,
  server: PostgresServer,
  devices: number,
  jobsPerDevice: number,
): Promise<Overhead> {
  await mkdir(folder);
  const names = boardNames(devices);
  await prepareFleet(folder, names, 0);
  const database = `overhead_${devices}`;
  const admin = new pg.Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create database ${database}`);
  const url = server.url(database);
  const queue = await JobQueue.open(url);
  const results = new SharedResults(queue, url);
  const statements = async (): Promise<number> => {
    const { rows } = await admin.query<{ readonly calls: number }>(
      `select sum(calls)::float8 as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = $1`,
      [database],
    );
    return rows[0]?.calls ?? 0;
  };
  const spent = async (): Promise<Spent> => ({
    ...{ worker: process.cpuUsage(), server: processorSeconds(server.pid), queries: await statements() },
    at: performance.now(),
  });
  try {
    const suite = await readSuite(join(folder, 'suite.yaml'));
    const jobs = devices * jobsPerDevice;
    const harness = await harnessMilliseconds(folder, names.slice(0, 10));
    const record: WorkerRecord = {
      ...{
        name: 'bench',
        process: randomUUID(),
        host: 'bench',
        leaseSeconds: 30,
        version: installedVersion(),
      },
    };
    const work = async (once: boolean, drain: AbortSignal): Promise<void> =>
      new Worker(queue, {
        devices: await Promise.all(
          names.map((name) => measuringDevice(join(folder, profileOf(name)), 'bench')),
        ),
        ...{ record, spools: join(folder, 'spools'), data: undefined, pollMilliseconds: 1000, once, drain },
        ...{ emit: () => undefined, stop: new AbortController().signal },
        deliver: (spool, job) => results.deliver(spool, job),
      }).run();
    // The first opens what stays open.
    await work(true, new AbortController().signal);
    for (let index = 0; index < jobsPerDevice; index++)
      await queue.submit(
        await planSubmission(suite, {
          ...{ person: 'ada', command: 'bench', priority: 0, devices: names, needs: [], identical: false },
          ...{ compress: false, plugins: loadedPlugins() },
        }),
      );
    const before = await spent();
    await work(true, new AbortController().signal);
    const busy = difference(before, await spent());
    const drain = new AbortController();
    const waiting = work(false, drain.signal);
    await sleep(3000);
    const still = await spent();
    await sleep(IDLE_SECONDS * 1000);
    const idle = difference(still, await spent());
    drain.abort();
    await waiting;
    const workerMilliseconds = busy.worker / jobs - harness;
    const serverMilliseconds = busy.server / jobs;
    return {
      ...{ devices, jobs, workerMilliseconds, serverMilliseconds, harnessMilliseconds: harness },
      queries: busy.queries / jobs,
      idle: {
        queries: idle.queries / idle.seconds,
        milliseconds: (idle.worker + idle.server) / idle.seconds,
      },
      cellSecondsAtTwoPercent: (workerMilliseconds + serverMilliseconds) / 1000 / CELLS_PER_JOB / SHARE,
    };
  } finally {
    await results.close();
    await queue.close();
    await admin.end();
  }
}

/** What was spent up to a moment. */
interface Spent {
  readonly worker: NodeJS.CpuUsage;
  readonly server: number;
  readonly queries: number;
  readonly at: number;
}

/** Between two moments: processor time in milliseconds, statements, seconds. */
function difference(
  before: Spent,
  after: Spent,
): { readonly worker: number; readonly server: number; readonly queries: number; readonly seconds: number } {
  const cpu = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;
  return {
    worker: cpu(after.worker) - cpu(before.worker),
    server: (after.server - before.server) * 1000,
    queries: after.queries - before.queries,
    seconds: (after.at - before.at) / 1000,
  };
}

/** Processor time of a job's measurements without a queue, in milliseconds: recorded in one store, as by `edgeflex run`. */
async function harnessMilliseconds(folder: string, names: readonly string[]): Promise<number> {
  const read = await readSuite(join(folder, 'suite.yaml'));
  const db = await openStore(join(folder, 'results.db'));
  try {
    const run = async (name: string): Promise<void> => {
      const suite = { ...read, devices: [join(folder, profileOf(name))] };
      const data = await openImages(suite.data, {
        ...{ given: undefined, signal: new AbortController().signal, emit: () => undefined },
      });
      await executeSuite(suite, {
        ...{ db, data, signal: new AbortController().signal, command: 'bench', plugins: loadedPlugins() },
        ...{ resume: false, emit: () => undefined },
      });
    };
    // The first fills the cache.
    await run(defined(names[0], 'a board'));
    const before = process.cpuUsage();
    for (const name of names) await run(name);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / names.length;
  } finally {
    await db.destroy();
  }
}
