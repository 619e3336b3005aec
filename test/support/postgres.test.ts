import { expect, it } from 'vitest';
import { describePostgres, onDatabase, useDatabase } from './postgres.js';

describePostgres("the tests' PostgreSQL server", () => {
  const url = useDatabase();
  const seen: string[] = [];

  it.each(['first', 'second'])('gives the %s test an empty database of its own', async () => {
    const { rows } = await onDatabase(url(), 'select to_regclass($$mark$$) as mark');
    expect(rows).toEqual([{ mark: null }]);
    await onDatabase(url(), 'create table mark (id int)');
    expect(seen).not.toContain(url());
    seen.push(url());
  });
});
