import { Database } from '../../src/base/sqlite.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { content } from '../../src/store/content.js';
import { openForReading, openStore } from '../../src/store/open.js';
import { findRun, listRuns, loadRun } from '../../src/store/read.js';
import { endCell, insertRound } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';

const folder = useFolder();
const path = (): string => folder('results.sqlite');

beforeEach(async () => {
  const db = await openStore(path());
  const cell = await storeCell(db, 'one', 'accuracy');
  await insertRound(db, placeOf(cell), fullMeasurement(), labels, true);
  await endCell(db, cell.id, 'done', null);
  await db.destroy();
});

/** Changes the file behind our back. */
function tamper(statement: string): void {
  const database = new Database(path());
  database.unsafeMode();
  database.exec(statement);
  database.close();
}

async function read(): Promise<void> {
  const db = await openForReading(path());
  try {
    await listRuns(db);
    await loadRun(db, await findRun(db, 'one'));
  } finally {
    await db.destroy();
  }
}

describe('what stands in a results database', () => {
  it('is read when it is what was stored', async () => {
    await expect(read()).resolves.toBeUndefined();
  });

  it.each([
    ['samples', 'milliseconds', '9e999', 'Infinity'],
    ['samples', 'milliseconds', "'soon'", 'soon'],
    ['samples', 'milliseconds', '-1', '-1'],
    ['predictions', 'predicted', "'cat'", 'cat'],
    ['predictions', 'label', '1.5', '1.5'],
    ['cells', 'status', "'perhaps'", 'perhaps'],
    ['cells', 'batch', '-1', '-1'],
    ['cells', 'stopping_json', "'{'", '{'],
    ['runs', 'data_json', "'[]'", '[]'],
    ['runs', 'started_at', "'yesterday'", 'yesterday'],
    ['runs', 'repository_json', `'{"commit":1}'`, 'commit'],
    ['devices', 'environment_json', "'{}'", '{}'],
    ['devices', 'profile_json', "'no json'", 'no json'],
    ['variants', 'stages_json', "'{}'", '{}'],
    ['rounds', 'runtime_json', "'{'", '{'],
    ['conditions', 'conditions_json', "'null'", 'null'],
    ['memory', 'bytes', '-5', '-5'],
    ['phases', 'milliseconds', '9e999', 'Infinity'],
  ])('is refused when %s.%s is %s: with file, table and column', async (table, column, value, shown) => {
    tamper(`update ${table} set ${column} = ${value}`);
    const fault = await refusalOf(read);
    expect(fault.source).toBe(path());
    expect(fault.place).toContain(table);
    expect(fault.place).toContain(column);
    expect(fault.found).toContain(shown);
    expect(fault.hint).toContain('edgeflex store recover');
  });

  it('is refused when a cell names a variant that is not there', async () => {
    tamper('pragma foreign_keys = off; update cells set variant_id = 99');
    expect((await refusalOf(read)).place).toContain('variant_id');
  });

  it('is refused when a page of the file is damaged, with file and table', async () => {
    tamper("pragma writable_schema = on; update sqlite_master set rootpage = 99999 where name = 'samples'");
    const fault = await refusalOf(read);
    expect(fault.source).toBe(path());
    expect(fault.found).toMatch(/malformed/);
  });

  it('has a rule for each column of the schema', () => {
    const database = new Database(path(), { readonly: true });
    for (const [table, columns] of Object.entries(content)) {
      const names = database.prepare('select name from pragma_table_info(?)').pluck().all(table);
      expect(names.sort(), table).toEqual(Object.keys(columns).sort());
    }
    database.close();
  });
});
