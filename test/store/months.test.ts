import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openStore, type Db } from '../../src/store/open.js';
import { deleteRuns, shrinkDatabase } from '../../src/store/prune.js';
import { listRuns } from '../../src/store/read.js';
import { runsOf, storeHistory } from '../analysis/support/history.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { emptyStore } from '../support/stores.js';

const url = useDatabase(emptyStore);

/** Months that have partitions of samples. */
async function monthsIn(db: Db): Promise<string[]> {
  const { rows } = await sql<{ readonly name: string }>`
    select relname as name from pg_class where relname ~ '^raw_samples_[0-9]{4}_[0-9]{2}$' order by 1`.execute(
    db,
  );
  return rows.map(({ name }) => name.slice(-7));
}

describePostgres('months of raw data on a server', () => {
  it('go with the last run in them, and come back when they are needed', async () => {
    const db = await openStore(url());
    // A run a day from the first of January 2026 on.
    const runs = runsOf(40, () => ({ milliseconds: 10 }));
    await storeHistory(db, 1, 0.01, runs);
    expect(await monthsIn(db)).toEqual(['2026_01', '2026_02']);
    const ids = (await listRuns(db)).map(({ id }) => id).sort();
    await deleteRuns(db, ids.slice(0, 31));
    expect(await shrinkDatabase(db)).toBeGreaterThan(0);
    expect(await monthsIn(db)).toEqual(['2026_02']);
    expect(await listRuns(db)).toHaveLength(9);
    await deleteRuns(db, ids.slice(31));
    await shrinkDatabase(db);
    expect(await monthsIn(db)).toEqual([]);
    expect(await shrinkDatabase(db)).toBe(0);
    await storeHistory(db, 1, 0.01, runs.slice(0, 2));
    expect(await monthsIn(db)).toEqual(['2026_01']);
    await db.destroy();
  });
});
