import pg from 'pg';
import { expect, it } from 'vitest';
import { describedTables } from '../../src/store/described-tables.js';
import type { ColumnType } from '../../src/store/description.js';
import { views } from '../../src/store/views/list.js';
import { postgresParts } from '../../src/store/views/parts.js';
import { insertRound } from '../../src/store/write.js';
import { openStore } from '../../src/store/open.js';
import { disturbedExample, type Row } from '../analysis/support/disturbed.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';

const folder = useFolder();

const TYPES: Readonly<Record<ColumnType, string>> = {
  ...{ text: 'text', moment: 'text', json: 'text', integer: 'bigint', flag: 'integer' },
  ...{ real: 'double precision', bytes: 'bytea' },
};

describePostgres('views on PostgreSQL', () => {
  const address = useDatabase();

  it('have the same rows as on SQLite', async () => {
    const { database } = await disturbedExample(folder('results.sqlite'), 2);
    const db = await openStore(folder('results.sqlite'));
    const cell = await storeCell(db, 'loaded', 'server');
    await insertRound(db, placeOf(cell), fullMeasurement(), labels, false);
    await db.destroy();
    const client = new pg.Client({ connectionString: address() });
    await client.connect();
    try {
      for (const [table, { columns }] of Object.entries(describedTables)) {
        const types = Object.entries(columns).map(([name, { type }]) => `"${name}" ${TYPES[type]}`);
        await client.query(`create table ${table} (${types.join(', ')})`);
        // No view reads them.
        if (Object.values(columns).some(({ type }) => type === 'bytes')) continue;
        const rows = database.prepare(`select * from ${table}`).all();
        await client.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [
          JSON.stringify(rows),
        ]);
      }
      for (const { name, sql, columns } of views) {
        await client.query(`create view ${name} as ${sql(postgresParts)}`);
        const { rows, fields } = await client.query<Row>(`select * from ${name}`);
        expect(
          fields.map((field) => field.name),
          name,
        ).toEqual(Object.keys(columns));
        const expected = database.prepare(`select * from ${name}`).all() as Row[];
        // Numbers of other types than double come as texts, so that no digit is lost.
        const plain = (row: Row): Row =>
          Object.fromEntries(
            Object.entries(columns).map(([column, { type }]) => {
              const value = row[column];
              const isNumber = type === 'integer' || type === 'real' || type === 'flag';
              return [column, value === null || !isNumber ? value : Number(Number(value).toPrecision(9))];
            }),
          );
        const sorted = (all: readonly Row[]): string[] => all.map((row) => JSON.stringify(plain(row))).sort();
        expect(sorted(rows), name).toEqual(sorted(expected));
        expect(rows.length, name).toBeGreaterThan(0);
      }
    } finally {
      // Before the database goes.
      await client.end();
    }
  });
});
