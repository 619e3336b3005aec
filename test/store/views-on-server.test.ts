import { sql } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns } from '../../src/store/read.js';
import { transferRun } from '../../src/store/transfer/transfer.js';
import { insertRound } from '../../src/store/write.js';
import { runQuery } from '../../src/store/query.js';
import { views } from '../../src/store/views/list.js';
import { disturbedExample } from '../analysis/support/disturbed.js';
import { runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, onDatabase, useDatabase } from '../support/postgres.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';
import { refusalOf } from '../support/refusal.js';
import { emptyStore } from '../support/stores.js';

/** Where a row lies in one store. */
const local = /^(id|.*_id)$/;

/** What a view says, whatever the order: whole numbers and texts first, since fractions may differ in their last digits. */
async function saidBy(db: Db, view: string): Promise<Record<string, unknown>[]> {
  const { rows } = await sql.raw<Record<string, unknown>>(`select * from ${view}`).execute(db);
  const own = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => name === 'run_id' || !local.test(name))),
  );
  const key = (row: object): string =>
    JSON.stringify(row, (_, value: unknown) =>
      typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(6) : value,
    );
  return own.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

describePostgres('views of a database on a server', () => {
  const folder = useFolder();
  const url = useDatabase(emptyStore);

  it('say what those of a file say, and are asked by the same queries', async () => {
    await disturbedExample(folder('results.sqlite'), 2);
    const [here, there] = [await openStore(folder('results.sqlite')), await openStore(url())];
    onTestFinished(async () => {
      await here.destroy();
      await there.destroy();
    });
    const cell = await storeCell(here, 'loaded', 'server');
    await insertRound(here, placeOf(cell), fullMeasurement(), labels, false);
    await storeHistory(
      here,
      5,
      0.01,
      runsOf(2, (index) => ({ milliseconds: 10 + index })),
    );
    for (const { id } of await listRuns(here))
      await transferRun(here, there, await findRun(here, id), { thorough: false });
    for (const { name } of views) {
      const [expected, found] = [await saidBy(here, name), await saidBy(there, name)];
      expect(found.length, name).toBe(expected.length);
      expect(found.length, name).toBeGreaterThan(0);
      for (const [index, row] of expected.entries())
        for (const [column, value] of Object.entries(row)) {
          const other = found[index]![column];
          const place = `${name}, row ${index}, ${column}`;
          if (typeof value !== 'number') expect(other, place).toEqual(value);
          else
            expect(Math.abs(Number(other) - value), place).toBeLessThanOrEqual(
              1e-9 * Math.max(1, Math.abs(value)),
            );
        }
    }
    const asked = 'select recipe, count(*) as n from v_results group by recipe order by recipe';
    expect(await runQuery(there, asked)).toEqual(await runQuery(here, asked));
    expect((await refusalOf(() => runQuery(there, 'select * from v_result'))).found).toContain('v_results');
    expect((await refusalOf(() => runQuery(there, 'select 1; drop table runs'))).expected).toContain('SQL');
    expect((await refusalOf(() => runQuery(there, 'delete from runs'))).found).toBe('DELETE');
  });

  it('say the same of samples that an older version stored, once it is brought up to date, and of those of later months', async () => {
    const db = await openStore(url());
    onTestFinished(() => db.destroy());
    await storeHistory(
      db,
      5,
      0.01,
      runsOf(2, (index) => ({ milliseconds: 10 + index })),
    );
    const before = await saidBy(db, 'v_latency');
    expect(before.length).toBeGreaterThan(0);
    await onDatabase(
      url(),
      `alter table edgeflex.raw_samples drop column queries cascade, drop column total_ms cascade, drop column median_ms cascade;
      drop function edgeflex.queries_of, edgeflex.total_ms_of, edgeflex.median_ms_of;
      delete from edgeflex.kysely_migration where name >= '0024'`,
    );
    const updated = await openStore(url());
    onTestFinished(() => updated.destroy());
    expect(await saidBy(updated, 'v_latency')).toEqual(before);
    const place = { ...placeOf(await storeCell(updated, 'later')), startedAt: '2031-05-01T00:00:00.000Z' };
    await insertRound(updated, place, fullMeasurement(), labels, false);
    const [later] = (await saidBy(updated, 'v_rounds')).filter((row) => row['run_id'] === 'later');
    expect(later).toMatchObject({ queries: 3, median_ms: 2 });
  });
});
