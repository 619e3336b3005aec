import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { jobName, type ListedJob } from '../../src/queue/jobs.js';
import { findJobs, takesOf } from '../../src/queue/list.js';
import { openStore } from '../../src/store/open.js';
import { edgeflex, start } from '../cli/support.js';
import { SmallDisk } from '../faults/support/small-disk.js';
import { useFolder } from '../support/folder.js';
import { mountPart } from '../support/parts.js';
import { describePostgres } from '../support/postgres.js';
import { ROUNDS, SUITE, useQueues } from './support.js';

const folder = useFolder();
const queues = useQueues();

/** More rounds than are over before the worker has told of the first: what it sends waits for fifty times as long as the last sending took. */
const LONGER = SUITE.replace('rounds: 2', 'rounds: 8');
const LONGER_ROUNDS = ROUNDS + 2 * 6;

/** Room for the record of the suite's rounds, in bytes. */
const SIZE = 2 ** 22;

/** Takes all room that is left. */
async function fill(disk: SmallDisk): Promise<() => Promise<void>> {
  const filler = join(disk.outside, 'filler');
  const { bavail, bsize } = await statfs(disk.outside);
  await writeFile(filler, Buffer.alloc(bavail * bsize));
  return () => rm(filler);
}

describePostgres('a worker whose disk is full', () => {
  it.skipIf(mountPart.missing !== undefined).each([
    ['before it has begun a job', 0],
    ['in the middle of a job', 1],
  ])(
    'names it, keeps what was measured, and goes on when there is room: %s',
    async (_, before) => {
      const disk = await SmallDisk.ofSize(SIZE);
      onTestFinished(() => disk.close());
      await writeFile(folder('suite.yaml'), LONGER);
      await writeFile(folder('here.yaml'), 'name: here\nkind: local\nthreads: 1\n');
      const queue = await queues.open();
      const env = { EDGEFLEX_CACHE: folder('cache'), EDGEFLEX_DB: queues.url() };
      const words = ['worker', '--devices', folder('here.yaml'), '--name', 'w', '--host', 'bench'];
      const state = join(disk.inside, 'state');
      const worker = start([...words, '--state', state], env, undefined, disk.by);
      onTestFinished(() => {
        worker.child.kill('SIGKILL');
      });
      await worker.said('is ready');
      let empty = before === 0 ? await fill(disk) : undefined;
      const submitted = await edgeflex(['submit', folder('suite.yaml'), '--person', 'ada', '--json'], env);
      const { run } = JSON.parse(submitted.out) as { run: string };
      const one = async () => (await findJobs(queue, run))[0]!;
      const until = (isSo: (job: ListedJob) => boolean): Promise<void> =>
        vi.waitFor(async () => expect(isSo(await one())).toBe(true), { timeout: 120_000, interval: 5 });
      await until(({ rounds }) => rounds >= before);
      empty ??= await fill(disk);
      await worker.said(`${jobName(await one())} waits`);
      const full = new Date().toISOString();
      const waiting = await one();
      expect(waiting.state).toBe('waiting');
      await empty();
      await until(({ state }) => state === 'done');
      await edgeflex(['queue', 'drain', 'w'], env);
      expect(await worker.ended).toMatchObject({ code: 0 });
      expect(await one()).toMatchObject({ state: 'done', failedCells: 0 });
      const takes = await takesOf(queue, [waiting.id]);
      expect(takes.length).toBeGreaterThanOrEqual(2);
      for (const { reason } of takes.slice(0, -1)) {
        expect(reason).toContain('here@bench');
        expect(reason).toContain(state);
        expect(reason).toContain('disk is full');
      }
      const db = await openStore(queues.url());
      try {
        const rounds = await db.selectFrom('rounds').select(['cell_id', 'round', 'started_at']).execute();
        expect(rounds).toHaveLength(LONGER_ROUNDS);
        expect(new Set(rounds.map(({ cell_id, round }) => `${cell_id}/${round}`)).size).toBe(LONGER_ROUNDS);
        expect(rounds.filter(({ started_at }) => started_at < full).length).toBeGreaterThanOrEqual(
          waiting.rounds,
        );
      } finally {
        await db.destroy();
      }
    },
    300_000,
  );
});
