import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { SharedResults } from '../../src/queue/deliver.js';
import { measuringDevice } from '../../src/queue/devices.js';
import { jobName } from '../../src/queue/jobs.js';
import { findJobs, takesOf } from '../../src/queue/list.js';
import type { JobQueue } from '../../src/queue/queue.js';
import type { Spool } from '../../src/queue/spool.js';
import { readRequirements } from '../../src/queue/requirements.js';
import { planSubmission, type SubmissionWishes } from '../../src/queue/submit.js';
import { Worker, type WorkerDevice, type WorkerEvent, type WorkerOptions } from '../../src/queue/worker.js';
import { openStore } from '../../src/store/open.js';
import { listRuns, storedDevices } from '../../src/store/read.js';
import { countRounds } from '../../src/store/rounds.js';
import { readSuite } from '../../src/suite/read.js';
import { installedVersion } from '../../src/base/paths.js';
import { useFolder } from '../support/folder.js';
import { describePostgres } from '../support/postgres.js';
import { CELLS, device, ROUNDS, SUITE, useQueues, worker as record } from './support.js';

const folder = useFolder();
const queues = useQueues();

/** All tests compress the same, which is done once. */
let cache = '';
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

beforeEach(async () => {
  vi.stubEnv('EDGEFLEX_CACHE', cache);
  await writeFile(folder('suite.yaml'), SUITE);
  await writeFile(folder('here.yaml'), 'name: here\nkind: local\nthreads: 1\n');
});

/** Submits the suite, for its own device or otherwise. */
async function submit(
  queue: JobQueue,
  wishes: Partial<Pick<SubmissionWishes, 'devices' | 'needs' | 'identical'>> = {},
): Promise<string> {
  const submission = await planSubmission(await readSuite(folder('suite.yaml')), {
    ...{ person: 'ada', command: 'edgeflex submit', priority: 0, devices: [], needs: [], plugins: [] },
    ...{ identical: false, compress: false, ...wishes },
  });
  await queue.submit(submission);
  return submission.run.id;
}

/** A round as it was delivered: when it was begun tells it apart from one that was measured anew. */
interface Delivered {
  readonly job: string;
  readonly rounds: readonly string[];
}

/** A worker that drives this machine until nothing is left to do. */
interface Driven {
  readonly events: WorkerEvent[];
  readonly delivered: Delivered[];
  readonly drain: AbortController;
  readonly ended: Promise<void>;
}

async function drive(
  queue: JobQueue,
  name: string,
  onEvent: (event: WorkerEvent, driven: Pick<Driven, 'drain'>) => void = () => undefined,
  changes: Partial<WorkerOptions> = {},
): Promise<Driven> {
  const events: WorkerEvent[] = [];
  const delivered: Delivered[] = [];
  const drain = new AbortController();
  const options: WorkerOptions = {
    record: record(name, { host: 'bench', version: installedVersion() }),
    devices: [await measuringDevice(folder('here.yaml'), 'bench')],
    spools: folder(name, 'spools'),
    ...{ data: undefined, pollMilliseconds: 50, once: true, drain: drain.signal },
    stop: new AbortController().signal,
    deliver: async (spool, job) => {
      delivered.push({ job: jobName(job), rounds: await roundsOf(spool) });
    },
    emit: (event) => {
      events.push(event);
      onEvent(event, { drain });
    },
    ...changes,
  };
  return { events, delivered, drain, ended: new Worker(queue, options).run() };
}

async function roundsOf({ db }: Spool): Promise<string[]> {
  const rows = await db
    .selectFrom('rounds')
    .innerJoin('cells', 'cells.id', 'rounds.cell_id')
    .select(['cells.id', 'rounds.round', 'rounds.started_at'])
    .orderBy('rounds.started_at')
    .execute();
  return rows.map(({ id, round, started_at }) => `${id}/${round} ${started_at}`);
}

/** Waits until the queue has so many rounds of a run. */
async function kept(queue: JobQueue, run: string, rounds: number): Promise<void> {
  await vi.waitFor(
    async () => {
      expect((await findJobs(queue, run))[0]?.rounds).toBeGreaterThanOrEqual(rounds);
    },
    { timeout: 30_000, interval: 20 },
  );
}

describePostgres('a worker', () => {
  it('stopped in mid-run gives its job back, and an identical device goes on at the round where it stopped', async () => {
    const queue = await queues.open();
    const run = await submit(queue, { needs: [readRequirements('kind=local')], identical: true });
    const [stop, here] = [new AbortController(), await measuringDevice(folder('here.yaml'), 'bench')];
    let measured = 0;
    // At the third round, however late the queue's server tells of it.
    const execute: WorkerDevice['execute'] = (work) =>
      here.execute({
        ...work,
        onRound() {
          work.onRound();
          measured += 1;
          if (measured === 3) stop.abort(new Error('enough'));
        },
      });
    const first = await drive(queue, 'first', undefined, {
      devices: [{ ...here, execute }],
      stop: stop.signal,
    });
    await first.ended;
    expect(first.delivered).toEqual([]);
    const [job] = await findJobs(queue, run);
    expect(job?.state).toBe('waiting');
    expect(job?.rounds).toBeGreaterThanOrEqual(3);
    expect(job?.rounds).toBeLessThan(ROUNDS);
    await writeFile(folder('unlike.yaml'), 'name: unlike\nkind: local\nthreads: 2\n');
    const other = await drive(queue, 'other', undefined, {
      devices: [await measuringDevice(folder('unlike.yaml'), 'bench')],
    });
    await other.ended;
    expect(other.delivered).toEqual([]);
    await writeFile(folder('sibling.yaml'), 'name: sibling\nkind: local\nthreads: 1\n');
    const second = await drive(queue, 'second', undefined, {
      devices: [await measuringDevice(folder('sibling.yaml'), 'elsewhere')],
      deliver: async (spool, taken) => {
        expect(await storedDevices(spool.db, run)).toMatchObject([
          { row: { name: 'here@bench' }, takeovers: [{ device: 'sibling@elsewhere', rounds: taken.rounds }] },
        ]);
        second.delivered.push({ job: jobName(taken), rounds: await roundsOf(spool) });
      },
    });
    await second.ended;
    const [{ rounds }] = second.delivered as [Delivered];
    expect([rounds.length, new Set(rounds).size]).toEqual([ROUNDS, ROUNDS]);
    const takes = await takesOf(queue, [job!.id]);
    expect(takes).toMatchObject([
      { worker: 'first', device: 'here@bench', rounds: 0, outcome: 'released' },
      { worker: 'second', device: 'sibling@elsewhere', rounds: job!.rounds, outcome: 'done' },
    ]);
    // What the first had measured was not measured again.
    const begun = Date.parse(takes[1]!.takenAt);
    const before = rounds.filter((round) => Date.parse(round.split(' ')[1]!) < begun);
    expect(before.length).toBe(job!.rounds);
    expect(await findJobs(queue, run)).toMatchObject([{ state: 'done', failedCells: 0, rounds: ROUNDS }]);
  });

  it('measures its part of a run, which comes together with those of others', async () => {
    const queue = await queues.open();
    const run = await submit(queue, { devices: ['here@one', 'here@two'] });
    const on = async (host: string) =>
      drive(queue, host, () => undefined, {
        record: record(host, { host, version: installedVersion() }),
        devices: [await measuringDevice(folder('here.yaml'), host)],
        deliver: (spool, job) => results.deliver(spool, job),
      });
    const results = new SharedResults(queue, queues.url());
    const both = [await on('one'), await on('two')];
    await Promise.all(both.map(({ ended }) => ended));
    await results.close();
    expect((await findJobs(queue, run)).map(({ state, reason }) => [state, reason])).toEqual([
      ['done', null],
      ['done', null],
    ]);
    const db = await openStore(queues.url());
    try {
      const stored = await storedDevices(db, run);
      expect(stored.map(({ row }) => row.name).sort()).toEqual(['here@one', 'here@two']);
      const cells = await db.selectFrom('cells').selectAll().where('run_id', '=', run).execute();
      expect(cells.filter(({ status }) => status === 'done')).toHaveLength(2 * CELLS);
      expect(await countRounds(db)).toBe(2 * ROUNDS);
      const [summary, ...others] = await listRuns(db);
      expect([summary?.id, summary?.state, others]).toEqual([run, 'complete', []]);
    } finally {
      await db.destroy();
    }
  });

  it('asked to work once does the jobs of all devices of a machine, one at a time', async () => {
    const queue = await queues.open();
    const run = await submit(queue, { devices: ['cpu', 'browser'] });
    const devices = ['cpu', 'browser'].map((name): WorkerDevice => ({
      ...{ queue: 'measure', name, profile: name, execute: () => Promise.resolve(0) },
      describe: () => Promise.resolve(device(name, { host: 'bench' })),
    }));
    const driven = await drive(queue, 'w', undefined, { devices });
    await driven.ended;
    expect((await findJobs(queue, run)).map(({ state }) => state)).toEqual(['done', 'done']);
  });

  it('told to drain ends with the job that it has', async () => {
    const queue = await queues.open();
    const [run, other] = [await submit(queue), await submit(queue)];
    const driven = await drive(queue, 'w', (event, { drain }) => {
      if (event.kind === 'took') drain.abort();
    });
    await driven.ended;
    expect(driven.delivered.map(({ job }) => job)).toEqual([`${run}/1`]);
    expect(await findJobs(queue, other)).toMatchObject([{ state: 'waiting' }]);
  });

  it('drops a job that is cancelled, and goes on with the next', async () => {
    const queue = await queues.open();
    const [run, other] = [await submit(queue), await submit(queue)];
    const driven = await drive(queue, 'w', () => undefined, {
      record: record('w', { host: 'bench', version: installedVersion(), leaseSeconds: 1 }),
    });
    await kept(queue, run, 1);
    await queue.cancel(run);
    await driven.ended;
    expect(driven.delivered.map(({ job }) => job)).toEqual([`${other}/1`]);
    expect(await findJobs(queue, run)).toMatchObject([{ state: 'cancelled' }]);
  });

  it('fails a job that no machine can measure, with the reason', async () => {
    const queue = await queues.open();
    await writeFile(folder('suite.yaml'), SUITE.replace('images: 40', 'images: 1000000'));
    const run = await submit(queue);
    await (
      await drive(queue, 'w')
    ).ended;
    expect(await findJobs(queue, run)).toMatchObject([
      { state: 'failed', reason: expect.stringContaining('1000000 images') as string },
    ]);
  });
});
