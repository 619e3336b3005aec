import { Database } from '../../src/base/sqlite.js';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { openForReading, openStore } from '../../src/store/open.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { checkStore, recoverStore } from '../../src/store/recover.js';
import { insertRound } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';

const folder = useFolder();
const path = (): string => folder('results.sqlite');

beforeEach(async () => {
  const db = await openStore(path());
  for (const id of ['one', 'two'])
    await insertRound(db, placeOf(await storeCell(db, id)), fullMeasurement(), labels, false);
  await db.destroy();
});

/** Changes the file behind our back. */
function tamper(statement: string): void {
  const database = new Database(path());
  database.pragma('foreign_keys = off');
  database.unsafeMode();
  database.exec(statement);
  database.close();
}

it('a sound database has no faults, and is copied whole', async () => {
  expect(checkStore(path())).toEqual([]);
  const tables = await recoverStore(path(), folder('new.sqlite'));
  expect(tables.find(({ table }) => table === 'samples')).toEqual({
    ...{ table: 'samples', copied: 6, leftOut: 0, cut: false },
  });
  expect(tables.every(({ cut, leftOut }) => !cut && leftOut === 0)).toBe(true);
});

it('what is wrong in rows is listed, and left out of the copy with what hangs on it', async () => {
  tamper(
    "update runs set data_json = '{' where id = 'one'; update samples set milliseconds = 9e999 where round_id = 2 and query = 0",
  );
  const wheres = checkStore(path()).map(({ where }) => where);
  expect(wheres).toEqual(['runs', 'samples']);
  await recoverStore(path(), folder('new.sqlite'));
  expect(checkStore(folder('new.sqlite'))).toEqual([]);
  const db = await openForReading(folder('new.sqlite'));
  onTestFinished(() => db.destroy());
  expect((await loadRun(db, await findRun(db, 'two'))).cells[0]!.rounds[0]!.samples).toHaveLength(2);
  await refusalOf(() => findRun(db, 'one'));
});

it('a row whose parent is gone is listed', () => {
  tamper("delete from variants where run_id = 'one'");
  expect(checkStore(path()).map(({ where }) => where)).toContain('cells');
});

it('a schema that an older version was killed in the middle of is recovered', async () => {
  tamper("drop table leases; delete from kysely_migration where name >= '0005'");
  expect((await refusalOf(() => openStore(path()))).hint).toContain('edgeflex store recover');
  await recoverStore(path(), folder('new.sqlite'));
  const db = await openForReading(folder('new.sqlite'));
  onTestFinished(() => db.destroy());
  expect((await loadRun(db, await findRun(db, 'one'))).cells[0]!.rounds).toHaveLength(1);
});
