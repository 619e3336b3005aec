import { statSync } from 'node:fs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isServerAddress } from '../../src/base/server-address.js';
import { setBaseline } from '../../src/store/baselines.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns, loadRun } from '../../src/store/read.js';
import {
  deleteRuns,
  planPruning,
  shrinkDatabase,
  type KeepReason,
  type PruneRule,
} from '../../src/store/prune.js';
import { endCell, endRun, insertRound } from '../../src/store/write.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';
import { describeEachStore } from '../support/stores.js';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');

describeEachStore((place) => {
  let db: Db;

  beforeEach(async () => {
    db = await openStore(place());
    onTestFinished(() => db.destroy());
  });

  /** Stores a run with a measured cell. */
  async function store(
    id: string,
    startedAt: string,
    changes: { ended?: boolean; suite?: string } = {},
  ): Promise<void> {
    const cell = await storeCell(db, id);
    const { suite = 'tiny', ended = true } = changes;
    await db.updateTable('runs').set({ started_at: startedAt, suite }).where('id', '=', id).execute();
    const latencies = Array.from({ length: 20_000 }, (_, index) => index / 8);
    await insertRound(db, { ...placeOf(cell), startedAt }, fullMeasurement({ latencies }), labels, true);
    if (!ended) return;
    await endCell(db, cell.id, 'done', null);
    await endRun(db, id, startedAt);
  }

  async function storeFloor(runId: string): Promise<void> {
    const floor = { device: 'here', environment_hash: 'x', batch: 1, metric: 'latency', floor_json: '{}' };
    await db
      .insertInto('floors')
      .values({ ...floor, run_id: runId, measured_at: '2026-11-01T00:00:00.000Z' })
      .execute();
  }

  /** Why each run stays; nothing for those that go. */
  async function fates(rule: Partial<PruneRule>): Promise<Record<string, readonly KeepReason[]>> {
    const whole = { keep: 0, before: undefined, suite: undefined, ...rule };
    const decisions = await planPruning(db, whole, NOW);
    return Object.fromEntries(decisions.map(({ run, reasons }) => [run.id, reasons]));
  }

  describe('pruning', () => {
    it('keeps the newest of each suite', async () => {
      for (const day of ['01', '02', '03']) await store(`t${day}`, `2026-11-${day}T00:00:00.000Z`);
      await store('l01', '2026-10-01T00:00:00.000Z', { suite: 'large' });
      expect(await fates({ keep: 2 })).toEqual({
        t03: [{ kind: 'newest', keep: 2 }],
        t02: [{ kind: 'newest', keep: 2 }],
        t01: [],
        l01: [{ kind: 'newest', keep: 2 }],
      });
      expect(await fates({ keep: 1, suite: 'tiny' })).toMatchObject({ t02: [], t01: [] });
      expect(Object.keys(await fates({ keep: 1, suite: 'large' }))).toEqual(['l01']);
    });

    it('spares the young, baselines, calibrations, and what can be resumed', async () => {
      await store('young', '2026-11-21T00:00:00.000Z');
      await store('baseline', '2026-11-03T00:00:00.000Z');
      await store('floor', '2026-11-02T00:00:00.000Z');
      await store('left', '2026-11-01T00:00:00.000Z', { ended: false });
      await store('going', '2026-11-22T00:00:00.000Z', { ended: false });
      await setBaseline(db, 'main', { id: 'baseline', suite: 'tiny' }, '2026-11-05T00:00:00.000Z');
      await storeFloor('floor');
      expect(await fates({})).toEqual({
        ...{ young: [], left: [], going: [{ kind: 'resumable' }] },
        ...{ baseline: [{ kind: 'baseline', names: ['main'] }], floor: [{ kind: 'calibration' }] },
      });
      const before = '2026-11-02T12:00:00.000Z';
      expect(await fates({ before })).toMatchObject({ young: [{ kind: 'young' }], left: [] });
      expect((await fates({ before, keep: 1 }))['going']).toEqual([{ kind: 'young' }, { kind: 'resumable' }]);
    });

    it('deletes everything of the runs and nothing of others', async () => {
      for (const id of ['a', 'b', 'c']) await store(id, '2026-11-01T00:00:00.000Z');
      const kept = await loadRun(db, await findRun(db, 'c'));
      await deleteRuns(db, ['a', 'b']);
      expect((await listRuns(db)).map(({ id }) => id)).toEqual(['c']);
      expect(await loadRun(db, await findRun(db, 'c'))).toEqual(kept);
      for (const table of ['devices', 'variants', 'cells', 'rounds'] as const)
        expect(await db.selectFrom(table).selectAll().execute(), table).toHaveLength(1);
      expect(await db.selectFrom('samples').select('query').execute()).toHaveLength(20_000);
    });

    it('gives the space of a file back, and leaves that of a server to the server', async () => {
      const sizes = (): number =>
        ['', '-wal'].reduce((sum, suffix) => sum + statSync(place() + suffix).size, 0);
      for (const id of ['a', 'b', 'c']) await store(id, '2026-11-01T00:00:00.000Z');
      const before = isServerAddress(place()) ? undefined : sizes();
      await deleteRuns(db, ['a', 'b']);
      const freed = await shrinkDatabase(db);
      if (before === undefined) {
        expect(freed).toBe(0);
        return;
      }
      // Two runs of 20,000 samples.
      expect(freed).toBeGreaterThan(300_000);
      expect(before - sizes()).toBeGreaterThan(freed);
    });

    it('deletes nothing when one of the runs has become a baseline meanwhile', async () => {
      for (const id of ['a', 'b']) await store(id, '2026-11-01T00:00:00.000Z');
      await setBaseline(db, 'main', { id: 'b', suite: 'tiny' }, '2026-11-05T00:00:00.000Z');
      await expect(deleteRuns(db, ['a', 'b'])).rejects.toThrow(/FOREIGN KEY/i);
      expect(await listRuns(db)).toHaveLength(2);
    });
  });
});
