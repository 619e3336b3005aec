import { sql, type Kysely } from 'kysely';
import { isOnServer } from '../server.js';
import { rawTableNames } from './raw-schema.js';

/**
 * Lets a server look at the tables anew, so that it knows how many rows to expect: it does so by itself only some time after many of them
 * have changed, and never of tables in partitions. Of raw data only what tables are joined by is looked at, for the arrays are long.
 * Tables of other owners are left out, and those that somebody is looking at; on SQLite nothing is done.
 *
 * @param db - open for writing
 */
export async function refreshStatistics<T>(db: Kysely<T>): Promise<void> {
  if (!isOnServer(db)) return;
  const { rows } = await sql<{ readonly name: string }>`
    select c.relname as name from pg_class c
    where c.relnamespace = 'edgeflex'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and pg_has_role(c.relowner, 'member')`.execute(db);
  if (rows.length === 0) return;
  const tables = rows.map(({ name }) =>
    rawTableNames.includes(name) ? sql`${sql.table(name)} (month, round_id)` : sql.table(name),
  );
  await sql`analyze (skip_locked) ${sql.join(tables)}`.execute(db);
}
