import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/run/events.js';
import { Delivery } from '../../src/run/delivery.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns } from '../../src/store/read.js';
import { transferRun } from '../../src/store/transfer/transfer.js';
import { endCell, endRun, insertRound } from '../../src/store/write.js';
import { Cable } from '../support/cable.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { refusalOf } from '../support/refusal.js';
import { emptyStore } from '../support/stores.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';
import { useRuns } from './support.js';

const runs = useRuns();

describePostgres('a run that is delivered to a server', () => {
  const url = useDatabase(emptyStore);
  let cable: Cable;
  let there: Db;

  beforeEach(async () => {
    there = await openStore(url());
    cable = await Cable.to(url());
    vi.useFakeTimers({ toFake: ['Date'] });
  });

  afterEach(async () => {
    vi.useRealTimers();
    await there.destroy();
    await cable.remove();
  });

  /** Lets the next delivery be due. */
  const later = (seconds = 20): void => void vi.setSystemTime(Date.now() + 1000 * seconds);

  it('is seen there while it goes on, goes on without the server, and is delivered later', async () => {
    vi.useRealTimers();
    const events: RunEvent[] = [];
    const seen: unknown[] = [];
    const undelivered = (event: RunEvent): void => void events.push(event);
    const measured = async (): Promise<void> => {
      if (seen.length === 0) seen.push(...(await listRuns(there)));
      cable.cut();
    };
    const { id, failedCells } = await runs.execute(
      runs.suite(),
      { measured: () => void measured(), undelivered },
      { shared: cable.url },
    );
    expect(failedCells).toBe(0);
    expect(seen).toMatchObject([{ id, state: 'running', holder: { pid: process.pid } }]);
    expect(events).toMatchObject([{ place: expect.not.stringContaining(new URL(url()).password) as string }]);
    expect((await listRuns(runs.db()))[0]).toMatchObject({ id, state: 'complete' });
    const before = (await listRuns(there))[0]!;
    expect(before.done).toBeLessThan(before.cells);
    // Its process still lives, as far as the server knows; in truth it would have ended by now.
    await there.deleteFrom('leases').execute();
    const run = await findRun(runs.db(), id);
    const delivered = await transferRun(runs.db(), there, run, { thorough: true });
    expect((await listRuns(there))[0]).toMatchObject({ id, state: 'complete' });
    const again = await transferRun(runs.db(), there, run, { thorough: true });
    expect(again).toEqual({ ...delivered, rounds: 0 });
  });

  it('is told of once when the server goes, and once when it is back', async () => {
    const cell = await storeCell(runs.db(), 'one');
    const events: RunEvent[] = [];
    const delivery = await Delivery.open(runs.db(), cable.url, (event) => events.push(event));
    await delivery.begin('one');
    await insertRound(runs.db(), placeOf(cell), fullMeasurement(), labels, false);
    // Nothing is due yet.
    await delivery.deliver();
    expect(await there.selectFrom('rounds').selectAll().execute()).toEqual([]);
    cable.cut();
    for (let turn = 0; turn < 2; turn++) {
      later(60);
      await delivery.deliver();
    }
    expect(events.map(({ kind }) => kind)).toEqual(['undelivered']);
    cable.mend();
    later(60);
    await delivery.deliver();
    expect(events.map(({ kind }) => kind)).toEqual(['undelivered', 'delivered']);
    expect(await there.selectFrom('rounds').selectAll().execute()).toHaveLength(1);
    await endCell(runs.db(), cell.id, 'done', null);
    await endRun(runs.db(), 'one', '2026-11-22T11:00:00.000Z');
    await delivery.close(true);
    expect((await listRuns(there))[0]).toMatchObject({ state: 'complete', holder: null });
    expect(events).toHaveLength(2);
  });

  it('says that clocks differ, and by how much', async () => {
    later(3 * 3600);
    const events: RunEvent[] = [];
    const delivery = await Delivery.open(runs.db(), url(), (event) => events.push(event));
    await delivery.close(true);
    expect(events).toMatchObject([{ kind: 'clock', seconds: expect.any(Number) as number }]);
    const { seconds } = events[0] as Extract<RunEvent, { kind: 'clock' }>;
    expect(Math.abs(seconds - 3 * 3600)).toBeLessThan(60);
  });

  it('does not begin when the server cannot be had', async () => {
    cable.cut();
    const suite = runs.suite();
    const fault = await refusalOf(() => runs.execute(suite, {}, { shared: cable.url }));
    expect(fault.expected).toBe('a PostgreSQL server that answers');
    expect(await listRuns(runs.db())).toEqual([]);
  });
});
