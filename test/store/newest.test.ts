import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { newestRun, resumableRun } from '../../src/store/newest.js';
import { openStore, type Db } from '../../src/store/open.js';
import { listRuns } from '../../src/store/read.js';
import { endCell, endRun } from '../../src/store/write.js';
import { refusalOf } from '../support/refusal.js';
import { storeCell } from '../support/rows.js';
import { describeEachStore } from '../support/stores.js';

describeEachStore((place) => {
  let db: Db;

  beforeEach(async () => {
    db = await openStore(place());
    onTestFinished(() => db.destroy());
  });

  /** Stores a run of one cell that ended so, or did not. */
  async function store(day: number, status?: 'done' | 'failed'): Promise<void> {
    const id = `2026110${day}`;
    const at = `2026-11-0${day}T00:00:00.000Z`;
    const cell = await storeCell(db, id);
    await db.updateTable('runs').set({ started_at: at }).where('id', '=', id).execute();
    if (status === undefined) return;
    await endCell(db, cell.id, status, null);
    await endRun(db, id, at);
  }

  it('the newest run is the newest with figures, and those passed over are named', async () => {
    await store(1, 'done');
    await store(2, 'done');
    await store(3, 'failed');
    await store(4);
    const { run, passedOver } = await newestRun(db);
    expect([run.id, run.state]).toEqual(['20261102', 'complete']);
    expect(passedOver.map(({ id, state }) => [id, state])).toEqual([
      ['20261104', 'unfinished'],
      ['20261103', 'failed'],
    ]);
    expect((await newestRun(db, 'tiny')).run.id).toBe('20261102');
    expect((await refusalOf(() => newestRun(db, 'other'))).found).toContain('other');
  });

  it('where no run has figures, the newest says what it is', async () => {
    await store(1, 'failed');
    expect((await newestRun(db)).run.state).toBe('failed');
  });

  it('what is resumed is an interrupted run, or failed cells of the newest', async () => {
    await store(1, 'failed');
    expect((await resumableRun(db, 'tiny'))!.id).toBe('20261101');
    await store(2, 'done');
    expect(await resumableRun(db, 'tiny')).toBeUndefined();
    await store(3);
    expect((await resumableRun(db, 'tiny'))!.id).toBe('20261103');
    expect((await listRuns(db)).map(({ state }) => state)).toEqual(['unfinished', 'complete', 'failed']);
  });
});
