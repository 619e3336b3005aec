import { describe, expect, it, onTestFinished } from 'vitest';
import { isServerAddress } from '../../src/base/server-address.js';
import { insertFloors } from '../../src/store/floors.js';
import { RunLease } from '../../src/store/lease.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns, loadLogits, loadRun } from '../../src/store/read.js';
import type { CellRow } from '../../src/store/tables.js';
import { transferRun, type TransferredRun } from '../../src/store/transfer/transfer.js';
import { endCell, endRun, expectRounds, insertRound, reopenRun, upsertCell } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, onDatabase, useDatabase } from '../support/postgres.js';
import { refusalOf } from '../support/refusal.js';
import { emptyStore } from '../support/stores.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';

/** Makes tests for one kind of pair of stores. */
type Pair = (name: string, tests: (from: () => string, to: () => string) => void) => void;

const pairs: readonly Pair[] = [
  (name, tests) => {
    describe(`${name}, from a file to a file`, () => {
      const folder = useFolder();
      tests(
        () => folder('from.db'),
        () => folder('to.db'),
      );
    });
  },
  (name, tests) => {
    describePostgres(`${name}, from a file to a server`, () => {
      const folder = useFolder();
      tests(() => folder('from.db'), useDatabase(emptyStore));
    });
  },
  (name, tests) => {
    describePostgres(`${name}, from a server to a file`, () => {
      const folder = useFolder();
      tests(useDatabase(emptyStore), () => folder('to.db'));
    });
  },
];

async function open(place: string): Promise<Db> {
  const db = await openStore(place);
  onTestFinished(() => db.destroy());
  return db;
}

const never = (): void => {
  throw new Error('the lease was lost');
};

/** Stores a run with a cell of accuracy and one that is timed; something stands in every table that a run has. */
async function storeRun(
  db: Db,
  id = 'one',
): Promise<{ readonly accuracy: CellRow; readonly timed: CellRow }> {
  const accuracy = await storeCell(db, id, 'accuracy');
  const timed = await upsertCell(db, {
    ...accuracy,
    id: undefined,
    kind: 'performance',
    batch: 8,
    rounds: 2,
  });
  const shape = { rows: 5, inner: 7, columns: 4 };
  const time = { node: 'z', opType: 'Gemm', provider: 'CPU', calls: 1.5, milliseconds: [0.5, 1 / 3] };
  const work = { product: { precision: 'int8', shape, multiplications: 280 }, bytes: 1e12 } as const;
  await insertRound(db, placeOf(accuracy), fullMeasurement(), labels, true, [{ time, work }]);
  await endCell(db, accuracy.id, 'done', null);
  await insertRound(db, placeOf(timed), fullMeasurement(), labels, false, [], {
    predicted: [0, 1, 1],
    cosines: [1, 0.1, -1],
  });
  const noise = { pair: 0.01, round: 0.02, block: 0.03, blocks: 4, rounds: 8 };
  const [environment, measuredAt] = ['abc', '2026-11-22T12:00:00.000Z'];
  await insertFloors(db, [
    { device: 'here', environment, batch: 8, metric: 'latency', runId: id, measuredAt, noise },
  ]);
  return { accuracy, timed };
}

/** Measures another round of a cell. */
async function measure(
  db: Db,
  cell: CellRow,
  round: number,
  startedAt = '2026-11-22T10:17:00.000Z',
): Promise<void> {
  const latencies = [round + 0.125, 1e-7];
  await insertRound(
    db,
    { ...placeOf(cell, round), startedAt },
    fullMeasurement({ latencies }),
    labels,
    false,
  );
}

/** All that a store has of a run, without what says where its rows lie there. */
async function allOf(db: Db, id = 'one'): Promise<unknown> {
  const run = await loadRun(db, await findRun(db, id));
  const logits = await Promise.all(run.cells.map(({ row }) => loadLogits(db, row.id)));
  const floors = await db.selectFrom('floors').selectAll().execute();
  const own = ['id', 'run_id', 'cell_id', 'variant_id', 'device_id'];
  return JSON.parse(
    JSON.stringify({ ...run, logits, floors }, (key, value: unknown) =>
      value instanceof Map
        ? [...(value as Map<unknown, unknown>)].sort()
        : own.includes(key)
          ? undefined
          : value,
    ),
  );
}

async function transfer(from: Db, to: Db, id = 'one'): Promise<TransferredRun> {
  return transferRun(from, to, await findRun(from, id), { thorough: true });
}

for (const pair of pairs)
  pair('a run that is brought to another store', (from, to) => {
    it('is there with all that was measured, and the second time nothing is copied', async () => {
      const [here, there] = [await open(from()), await open(to())];
      await storeRun(here);
      const first = await transfer(here, there);
      expect(first).toMatchObject({
        id: 'one',
        idThere: 'one',
        isNew: true,
        rounds: 2,
        verified: 2,
        isAhead: false,
      });
      expect(await allOf(there)).toEqual(await allOf(here));
      expect(await transfer(here, there)).toEqual({ ...first, isNew: false, rounds: 0 });
      // And back: what both have is what both know.
      expect(await transfer(there, here)).toEqual({ ...first, isNew: false, rounds: 0 });
      expect((await listRuns(there))[0]).toMatchObject({
        state: 'unfinished',
        holder: null,
        cells: 2,
        done: 1,
      });
    });

    it('gets what is measured later, and is never done before all of it is there', async () => {
      const [here, there] = [await open(from()), await open(to())];
      const { timed } = await storeRun(here);
      await transfer(here, there);
      await measure(here, timed, 1);
      await endCell(here, timed.id, 'done', null);
      await endRun(here, 'one', '2026-11-22T11:00:00.000Z');
      // What the target has not is no reason to take anything away here.
      expect(await transfer(there, here)).toMatchObject({ rounds: 0, isAhead: true });
      expect((await listRuns(here))[0]!.state).toBe('complete');
      expect(await transfer(here, there)).toMatchObject({ isNew: false, rounds: 1, verified: 3 });
      expect((await listRuns(there))[0]!.state).toBe('complete');
      expect(await allOf(there)).toEqual(await allOf(here));
    });

    it('gets cells that were measured anew after they had failed', async () => {
      const [here, there] = [await open(from()), await open(to())];
      const { timed } = await storeRun(here);
      await endCell(here, timed.id, 'failed', { kind: 'device', text: 'no memory' });
      await endRun(here, 'one', '2026-11-22T11:00:00.000Z');
      await transfer(here, there);
      await reopenRun(here, 'one');
      await measure(here, timed, 0);
      await measure(here, timed, 1);
      await endCell(here, timed.id, 'done', null);
      await endRun(here, 'one', '2026-11-22T12:00:00.000Z');
      expect(await transfer(here, there)).toMatchObject({ isNew: false, rounds: 2 });
      expect(await allOf(there)).toEqual(await allOf(here));
    });

    it('is completed from two stores that each measured a part', async () => {
      const [here, there] = [await open(from()), await open(to())];
      const { accuracy, timed } = await storeRun(here);
      await transfer(here, there);
      await upsertCell(here, { ...timed, id: undefined, batch: 16 });
      const [cellThere] = await there
        .selectFrom('cells')
        .selectAll()
        .where('kind', '=', 'performance')
        .execute();
      await measure(there, cellThere!, 1);
      await expectRounds(here, accuracy.id, 1);
      await endCell(here, accuracy.id, 'done', null);
      await transfer(here, there);
      await transfer(there, here);
      expect(await allOf(there)).toEqual(await allOf(here));
      expect((await listRuns(here))[0]).toMatchObject({ cells: 3, done: 1 });
    });

    it('is refused, and both stores stay as they are, when they have measured the same otherwise', async () => {
      const [here, there] = [await open(from()), await open(to())];
      const { timed } = await storeRun(here);
      await transfer(here, there);
      const [cellThere] = await there
        .selectFrom('cells')
        .selectAll()
        .where('kind', '=', 'performance')
        .execute();
      await measure(here, timed, 1);
      await endCell(here, timed.id, 'done', null);
      await measure(there, cellThere!, 1, '2026-11-23T10:17:00.000Z');
      await endCell(there, cellThere!.id, 'done', null);
      const before = [await allOf(here), await allOf(there)];
      const fault = await refusalOf(() => transfer(here, there));
      expect(fault).toMatchObject({ source: 'run one', place: 'cell here / micro / fp32 / performance / 8' });
      expect([await allOf(here), await allOf(there)]).toEqual(before);
    });

    it('has a longer id where another run has its', async () => {
      const [here, there] = [await open(from()), await open(to())];
      await storeRun(here);
      await storeCell(there, 'one');
      const { idThere, uid } = await transfer(here, there);
      expect(idThere).toBe(`one-${uid.slice(0, 8)}`);
      expect((await listRuns(there)).map(({ id, cells }) => [id, cells]).sort()).toEqual([
        ['one', 1],
        [idThere, 2],
      ]);
      expect(await transfer(here, there)).toMatchObject({ idThere, isNew: false, rounds: 0 });
      const ofBoth = JSON.stringify(await allOf(there, idThere));
      expect(JSON.parse(ofBoth)).toMatchObject({ cells: [{ rounds: [{}] }, { rounds: [{}] }] });
    });

    it('is refused while somebody works on it there', async () => {
      const [here, there] = [await open(from()), await open(to())];
      const { timed } = await storeRun(here);
      await transfer(here, there);
      await measure(here, timed, 1);
      const lease = await RunLease.take(there, 'one', never);
      expect((await refusalOf(() => transfer(here, there))).found).toContain(`process ${process.pid}`);
      const run = await findRun(here, 'one');
      expect(await transferRun(here, there, run, { thorough: false, lease })).toMatchObject({
        rounds: 1,
        verified: 1,
      });
      await lease.release();
    });

    it('is not taken for delivered when raw data there is not what is here', async () => {
      const [here, there] = [await open(from()), await open(to())];
      await storeRun(here);
      await transfer(here, there);
      if (isServerAddress(to()))
        await onDatabase(to(), 'update edgeflex.raw_samples set milliseconds[2] = 9');
      else await there.updateTable('samples').set({ milliseconds: 9 }).where('query', '=', 1).execute();
      const fault = await refusalOf(() => transfer(here, there));
      expect(fault.place).toMatch(/^table rounds, id \d+/);
      expect(fault.found).toContain('raw data that is not that of round');
    });
  });

describe('a run with something in it that nobody stored', () => {
  const folder = useFolder();

  it('is refused by row and column; once that is mended, the rest is brought', async () => {
    const [here, there] = [await open(folder('from.db')), await open(folder('to.db'))];
    const { timed } = await storeRun(here);
    await measure(here, timed, 1);
    await endCell(here, timed.id, 'done', null);
    const [, , last] = await here.selectFrom('rounds').select('id').orderBy('id').execute();
    await here.updateTable('samples').set({ milliseconds: -1 }).where('round_id', '=', last!.id).execute();
    const fault = await refusalOf(() => transfer(here, there));
    expect(fault).toMatchObject({ source: folder('from.db'), found: '-1' });
    expect(fault.place).toContain('table samples');
    expect((await listRuns(there))[0]).toMatchObject({
      state: 'unfinished',
      done: 0,
      pending: 2,
      holder: null,
    });
    await here.updateTable('samples').set({ milliseconds: 1 }).where('round_id', '=', last!.id).execute();
    expect(await transfer(here, there)).toMatchObject({ isNew: false, rounds: 3, verified: 3 });
    expect(await allOf(there)).toEqual(await allOf(here));
  });
});
