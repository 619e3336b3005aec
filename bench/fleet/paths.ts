import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { defined } from '../../src/base/defined.js';
import { findJobs, listFleet, listJobs } from '../../src/queue/list.js';
import type { NewJob, OfferedDevice, TakenJob, WorkerRecord } from '../../src/queue/jobs.js';
import { lookForWork } from '../../src/queue/look.js';
import { JobQueue } from '../../src/queue/queue.js';
import { announce } from '../../src/queue/roster.js';
import { readRequirements } from '../../src/queue/requirements.js';
import type { PostgresServer } from '../../test/support/postgres/server.js';

/** What is done all the time, in milliseconds from asking to the answer. */
export interface HotPath {
  readonly path: string;
  readonly median: number;
  readonly p95: number;
}

const DEVICES_PER_WORKER = 50;
const JOBS_PER_DEVICE = 10;
const VERSION = '1.0.0';

/**
 * How long the queue takes with many devices: half of them at work, ten jobs waiting for each, and as many jobs of the last day.
 *
 * @param server - the database's
 * @param devices - how many
 */
export async function hotPaths(server: PostgresServer, devices: number): Promise<readonly HotPath[]> {
  const database = `paths_${devices}`;
  const admin = new pg.Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create database ${database}`);
  await admin.end();
  const queue = await JobQueue.open(server.url(database));
  try {
    const all = Array.from({ length: devices }, (_, index): OfferedDevice => ({
      ...{ name: `device-${index}`, profile: `device-${index}`, host: `ssh device-${index}` },
      ...{ class: `class ${index % 10}`, labels: { arch: 'arm64', memory: (index % 8) * 2 ** 30, cores: 4 } },
    }));
    const workers = Array.from({ length: Math.ceil(devices / DEVICES_PER_WORKER) }, (_, index) =>
      worker(index),
    );
    const of = (index: number): WorkerRecord =>
      defined(workers[Math.floor(index / DEVICES_PER_WORKER)], 'a worker');
    await Promise.all(workers.map((each) => queue.enrol(each)));
    for (const [index, device] of all.entries()) await announce(queue, of(index), device);
    // A day's jobs, all done, and those that wait: most for a device, some for any that suits.
    const past = submission(all, 'past');
    await queue.submit(past);
    await queue.connection.query(
      `update edgeflex_queue.job set ended_at = now(), outcome = 'done' where run = $1`,
      [past.run.id],
    );
    await queue.connection.query(
      `insert into edgeflex_queue.take (job, worker, process, device, host, lease, rounds, taken_at, measured_at, ended_at, outcome)
       select id, 'w', gen_random_uuid(), coalesce(device, 'any'), 'any', '30 s', 0, now() - n * interval '1 minute', now(), now(), 'done'
       from edgeflex_queue.job cross join generate_series(1, ${JOBS_PER_DEVICE}) n where run = $1`,
      [past.run.id],
    );
    const taken: TakenJob[] = [];
    const paths: HotPath[] = [];
    const timed = async (
      path: string,
      times: number,
      work: (time: number) => Promise<unknown>,
    ): Promise<void> => {
      const seen: number[] = [];
      for (let time = 0; time < times; time++) {
        const begun = performance.now();
        await work(time);
        seen.push(performance.now() - begun);
      }
      seen.sort((a, b) => a - b);
      const at = (share: number): number =>
        seen[Math.min(seen.length - 1, Math.floor(share * seen.length))] ?? NaN;
      paths.push({ path, median: at(0.5), p95: at(0.95) });
    };
    await timed('submit of a job for each device', JOBS_PER_DEVICE, (time) =>
      queue.submit(submission(all, `person-${time % 3}`)),
    );
    await queue.connection.query('analyze');
    await timed('take', Math.floor(devices / 2), async (time) => {
      // Jobs wait for each of odd number.
      const device = defined(all[time * 2 + 1], 'a device');
      taken.push(defined(await queue.take('measure', of(time * 2 + 1), device), 'a job'));
    });
    await timed('sign of life of 50 devices', 50, () =>
      queue.pulse(
        of(0),
        taken.slice(0, DEVICES_PER_WORKER).map(({ token }) => token),
      ),
    );
    await timed('looking for work for 50 idle devices', 50, (time) => {
      const first = (time % workers.length) * DEVICES_PER_WORKER;
      return lookForWork(
        queue,
        of(first),
        all.slice(first, first + DEVICES_PER_WORKER).map((each) => ({ ...each, queue: 'measure' })),
      );
    });
    await timed('end of a job', 50, (time) => queue.complete(defined(taken[time], 'a job').token, 0));
    await timed('queue show of a run', 10, () => findJobs(queue, defined(taken[0], 'a job').run.id));
    await timed('queue list', 5, () => listJobs(queue, false));
    await timed('queue devices', 10, () => listFleet(queue));
    // As many jobs again that any device may have: the most that a take has to look at.
    const anywhere = submission(all, 'person-0', true);
    const many = Array.from({ length: JOBS_PER_DEVICE }, () => anywhere.jobs).flat();
    await timed('submit of a job for any device, ten for each', 1, () =>
      queue.submit({
        ...anywhere,
        jobs: many.map((job, index) => ({ ...job, id: randomUUID(), place: index + 1 })),
      }),
    );
    await queue.connection.query('analyze');
    await timed('take, with these', 20, (time) =>
      queue.take('measure', of(time * 2), defined(all[time * 2], 'a device')),
    );
    await timed('looking for work, with these', 20, () =>
      lookForWork(
        queue,
        of(0),
        all.slice(0, DEVICES_PER_WORKER).map((each) => ({ ...each, queue: 'measure' })),
      ),
    );
    await timed('queue list, with these', 5, () => listJobs(queue, false));
    return paths;
  } finally {
    await queue.close();
  }
}

function worker(index: number): WorkerRecord {
  return {
    ...{ name: `worker-${index}`, process: randomUUID(), host: `machine-${index}` },
    ...{ version: VERSION, leaseSeconds: 3600 },
  };
}

/** One job for each device: of ten, nine by the device's name, and one for any that suits; or all for any that suits. */
function submission(
  devices: readonly OfferedDevice[],
  person: string,
  isAnywhere = false,
): Parameters<JobQueue['submit']>[0] {
  return {
    run: {
      ...{ id: `run-${randomUUID()}`, uid: randomUUID(), places: devices.length },
      ...{ startedAt: new Date().toISOString(), repository: null },
    },
    ...{ suite: 'paths', person, command: 'bench', version: VERSION, plan: {}, plugins: [], priority: 0 },
    jobs: devices.map(({ name }, index): NewJob => ({
      ...{ id: randomUUID(), queue: 'measure', place: index + 1, identical: false },
      ...(isAnywhere || index % 10 === 0
        ? { device: null, needs: readRequirements('arch=arm64, memory>=4GiB') }
        : { device: name, needs: [] }),
    })),
  };
}
