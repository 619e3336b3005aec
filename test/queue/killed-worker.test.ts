import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { findJobs, takesOf } from '../../src/queue/list.js';
import { openStore } from '../../src/store/open.js';
import { edgeflex, start } from '../cli/support.js';
import { useFolder } from '../support/folder.js';
import { describePostgres } from '../support/postgres.js';
import { agentsOf } from '../support/processes.js';
import { CELLS, ROUNDS, SUITE, useQueues } from './support.js';

/** Makes a process believe in another time. */
const shifted = pathToFileURL(join(import.meta.dirname, '..', 'support', 'shifted-clock.mjs')).href;

const folder = useFolder();
const queues = useQueues();

describePostgres('a worker that is killed in mid-round', () => {
  it('loses its job to another one, which goes on where it stopped; every cell is there once', async () => {
    await writeFile(folder('suite.yaml'), SUITE);
    await writeFile(folder('here.yaml'), 'name: here\nkind: local\nthreads: 1\n');
    const queue = await queues.open();
    const env = { EDGEFLEX_CACHE: folder('cache'), EDGEFLEX_DB: queues.url() };
    const submitted = await edgeflex(['submit', folder('suite.yaml'), '--person', 'ada', '--json'], env);
    expect(submitted).toMatchObject({ code: 0, err: '' });
    const { run } = JSON.parse(submitted.out) as { run: string };
    // Their clocks are ten hours apart, and five from the server's, whose leases rest on its own.
    const work = (name: string, hours: number) =>
      start(
        [
          ...['worker', '--devices', folder('here.yaml'), '--name', name, '--host', 'bench'],
          ...['--state', folder(name), '--lease', '5s'],
        ],
        { ...env, NODE_OPTIONS: `--import=${shifted}`, EDGEFLEX_TEST_HOURS: String(hours) },
      );
    const job = async () => (await findJobs(queue, run))[0]!;
    const first = work('first', -5);
    await first.said(run);
    const second = work('second', 5);
    await second.said('is ready');
    await vi.waitFor(async () => expect((await job()).rounds).toBeGreaterThanOrEqual(2), 30_000);
    await vi.waitFor(() => expect(agentsOf(first.child.pid)).not.toEqual([]), {
      timeout: 10_000,
      interval: 2,
    });
    first.child.kill('SIGKILL');
    await first.ended;
    await vi.waitFor(async () => expect((await job()).state).toBe('done'), {
      timeout: 45_000,
      interval: 100,
    });
    const takes = await takesOf(queue, [(await job()).id]);
    expect(takes).toMatchObject([
      { worker: 'first', rounds: 0, outcome: 'lost' },
      { worker: 'second', outcome: 'done' },
    ]);
    const { rounds: kept, takenAt } = takes[1]!;
    expect(kept).toBeGreaterThanOrEqual(2);
    expect(await edgeflex(['queue', 'drain', 'second'], env)).toMatchObject({ code: 0 });
    expect(await second.ended).toMatchObject({ code: 0, out: 'second: 1 done, 0 failed, 0 given back\n' });

    const db = await openStore(queues.url());
    try {
      const cells = await db.selectFrom('cells').selectAll().where('run_id', '=', run).execute();
      expect(cells.map(({ status }) => status)).toEqual(Array.from({ length: CELLS }, () => 'done'));
      const rounds = await db.selectFrom('rounds').selectAll().execute();
      expect(new Set(rounds.map(({ cell_id, round }) => `${cell_id}/${round}`)).size).toBe(ROUNDS);
      expect(rounds).toHaveLength(ROUNDS);
      expect(rounds.filter(({ started_at }) => started_at < takenAt)).toHaveLength(kept);
      const begun = rounds.map(({ started_at }) => Date.parse(started_at)).sort((a, b) => a - b);
      expect(begun.at(-1)! - begun[0]!).toBeGreaterThan(9 * 3_600_000);
      expect(await db.selectFrom('runs').select(['id', 'command']).execute()).toMatchObject([{ id: run }]);
    } finally {
      await db.destroy();
    }
  }, 120_000);
});
