import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startOfProcess } from '../../src/base/process.js';
import { liveHolders, RunLease } from '../../src/store/lease.js';
import { openStore, type Db } from '../../src/store/open.js';
import { deleteRuns, planPruning } from '../../src/store/prune.js';
import { listRuns } from '../../src/store/read.js';
import { insertRun } from '../../src/store/write.js';
import { refusalOf } from '../support/refusal.js';
import { newRun } from '../support/rows.js';
import { describeEachStore } from '../support/stores.js';

describeEachStore((place) => {
  let db: Db;

  beforeEach(async () => {
    db = await openStore(place());
    onTestFinished(() => db.destroy());
    await insertRun(db, newRun('one', { started_at: '2020-01-01T00:00:00.000Z' }));
  });

  const never = (): void => {
    throw new Error('the lease was lost');
  };

  /** Says that the lease is another process's. */
  async function holdAs(changes: object): Promise<void> {
    await db.updateTable('leases').set(changes).execute();
  }

  describe('a run that a process works on', () => {
    it('is refused to others, with who, where and since when', async () => {
      const lease = await RunLease.take(db, 'one', never);
      const fault = await refusalOf(() => RunLease.take(db, 'one', never));
      const holder = (await liveHolders(db, Date.now())).get('one')!;
      for (const fact of [String(process.pid), holder.host, holder.since])
        expect(fault.found).toContain(fact);
      expect((await listRuns(db))[0]).toMatchObject({ state: 'running', holder: { pid: process.pid } });
      await lease.release();
      expect((await listRuns(db))[0]).toMatchObject({ state: 'unfinished', holder: null });
      await (await RunLease.take(db, 'one', never)).release();
    });

    it('is not pruned, however old, nor deleted when it was taken after the plan', async () => {
      const rule = { keep: 0, before: undefined, suite: undefined };
      const [decision] = await planPruning(db, rule, Date.now());
      expect(decision!.reasons).toEqual([]);
      const lease = await RunLease.take(db, 'one', never);
      expect((await planPruning(db, rule, Date.now()))[0]!.reasons).toMatchObject([
        { kind: 'held', holder: { pid: process.pid } },
      ]);
      expect((await refusalOf(() => deleteRuns(db, ['one']))).found).toContain(`process ${process.pid}`);
      expect(await listRuns(db)).toHaveLength(1);
      await lease.release();
      await deleteRuns(db, ['one']);
      expect(await listRuns(db)).toEqual([]);
    });

    it('is free at once when its process was killed', async () => {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      await once(child, 'spawn');
      await RunLease.take(db, 'one', never);
      await holdAs({ pid: child.pid, process_start: startOfProcess(child.pid!) });
      expect((await refusalOf(() => RunLease.take(db, 'one', never))).found).toContain(String(child.pid));
      child.kill('SIGKILL');
      await once(child, 'exit');
      await (await RunLease.take(db, 'one', never)).release();
    });

    it('is free when a later process has the same id', async () => {
      await RunLease.take(db, 'one', never);
      await holdAs({ process_start: `${startOfProcess(process.pid)!.split(' ')[0]} 1` });
      expect(await liveHolders(db, Date.now())).toEqual(new Map());
    });

    it('of another machine is free once that has been silent', async () => {
      await RunLease.take(db, 'one', never);
      await holdAs({ host: 'elsewhere', beat_at: '2026-01-01T00:00:00.000Z' });
      const at = Date.parse('2026-01-01T00:00:00.000Z');
      expect((await liveHolders(db, at + 30_000)).get('one')).toMatchObject({ host: 'elsewhere' });
      expect(await liveHolders(db, at + 90_000)).toEqual(new Map());
    });
  });
});
