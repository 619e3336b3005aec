import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { describeDatabase, query } from '../../src/library/query.js';
import { openStore } from '../../src/store/open.js';
import { queryTable } from '../../src/text/query.js';
import { terminalTable } from '../../src/text/terminal.js';
import { runOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();
const results = (): string => folder('results');
const file = (): string => folder('results', 'edgeflex.db');

beforeEach(async () => {
  const db = await openStore(file());
  await storeHistory(
    db,
    5,
    0.01,
    runsOf(3, (index) => ({ milliseconds: 10 + index })),
  );
  await db.destroy();
});

describe('a query', () => {
  it('gives columns in their order and rows, as many as are wanted', async () => {
    const sql = 'select run_id, recipe, median_ms from v_latency order by run_id, recipe';
    const all = await query(results(), sql);
    expect(all.columns).toEqual(['run_id', 'recipe', 'median_ms']);
    expect(all.rows.map((row) => row['recipe'])).toEqual(['fp32', 'int8', 'fp32', 'int8', 'fp32', 'int8']);
    expect(all.more).toBe(false);
    expect(await query(results(), `${sql} ; `, { limit: 6 })).toEqual(all);
    expect(await query(results(), sql, { limit: 2 })).toEqual({
      ...all,
      rows: all.rows.slice(0, 2),
      more: true,
    });
  });

  it.each([
    ['-- how many?\nselect count(*) as n from runs', 3],
    ['/* ; delete */ SELECT count(*) AS n FROM runs -- here', 3],
    ['with few as (select id from runs limit 2) select count(*) as n from few', 2],
    ["select 1 as n where 'drop; delete' <> ''", 1],
  ])('may be %j', async (sql, expected) => {
    expect((await query(results(), sql)).rows).toEqual([{ n: expected }]);
  });

  it('keeps two columns of one name apart, and names columns where there are no rows', async () => {
    const twice = await query(results(), 'select 1 as a, 2 as a');
    expect(Object.values(twice.rows[0]!)).toEqual([1, 2]);
    const none = await query(results(), "select id, suite from runs where id = 'none'");
    expect(none).toEqual({ columns: ['id', 'suite'], rows: [], more: false });
  });

  it.each([
    ['delete from runs', 'DELETE'],
    ['  -- a comment\n drop table runs', 'DROP'],
    ['insert into runs select * from runs', 'INSERT'],
    ["update runs set suite = 'x' returning id", 'UPDATE'],
    ["attach 'other.db' as other", 'ATTACH'],
    ['pragma journal_mode = delete', 'PRAGMA'],
    ["vacuum into 'copy.db'", 'VACUUM'],
    ['explain select 1', 'EXPLAIN'],
    ['create view mine as select 1', 'CREATE'],
    ['', 'nothing'],
    ['with gone as (select 1) delete from runs', '"delete"'],
    ['select 1; delete from runs', '";"'],
    ['select 1) as a; delete from runs; select * from (select 1', 'more than one statement'],
    ['select * from v_result', 'the unknown table or view "v_result" (did you mean "v_results"?)'],
    ['select median from v_latency', 'the unknown column "median"'],
    ['select (', 'syntax error'],
  ])('is refused by name, and changes nothing, when it is %j', async (sql, found) => {
    const before = readFileSync(file());
    const fault = await refusalOf(() => query(results(), sql));
    expect(fault.found).toContain(found);
    expect(fault.hint).toContain('--views');
    expect(readFileSync(file())).toEqual(before);
  });

  it('is refused with options that mean nothing, and where there are no results', async () => {
    expect(await refusalOf(() => query(results(), 'select 1', { limit: 0 }))).toMatchObject({
      place: 'options.limit',
    });
    expect(await refusalOf(() => query(folder('none'), 'select 1'))).toMatchObject({ found: 'no such file' });
  });
});

describe('what a query gave', () => {
  it('is a table that fits the terminal: numbers rounded and to the right, bytes counted, nothing for null', async () => {
    const result = await query(
      results(),
      `select id, 1.23456789 as value, 1e-9 as tiny, null as unknown, x'0102' as data, 12 as whole from runs`,
      { limit: 2 },
    );
    const table = queryTable(result);
    expect(table.rows[0]).toEqual({
      ...{ id: runOf(0), value: '1.2346', tiny: '1.0000e-9', unknown: '', data: '2 bytes', whole: '12' },
    });
    expect(table.columns.map(({ align }) => align)).toEqual([
      'left',
      'right',
      'right',
      'right',
      'left',
      'right',
    ]);
    expect(table.notes).toEqual([expect.stringContaining('--limit')]);
    for (const width of [40, 80])
      for (const line of terminalTable(table, false, width).split('\n'))
        expect(line.length).toBeLessThanOrEqual(width);
  });
});

describe('the description of the database', () => {
  it('has every view before every table, each with columns and units', () => {
    const relations = describeDatabase();
    expect(relations.map(({ kind }) => kind).lastIndexOf('view')).toBeLessThan(
      relations.findIndex(({ kind }) => kind === 'table'),
    );
    const latency = relations.find(({ name }) => name === 'v_latency')!;
    expect(latency.columns.find(({ name }) => name === 'median_ms')).toMatchObject({
      unit: 'ms',
      type: 'real',
    });
  });

  it('has queries in it that the database understands: each view, and its columns by name', async () => {
    for (const { name, columns } of describeDatabase())
      expect(
        (await query(results(), `select ${columns.map((column) => column.name).join(', ')} from ${name}`))
          .columns,
        name,
      ).toEqual(columns.map((column) => column.name));
  });
});
