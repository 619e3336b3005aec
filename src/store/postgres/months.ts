import { sql } from 'kysely';
import type { Db } from '../open.js';
import { rawTableNames } from './raw-schema.js';

/** A month's partitions, of which nothing is left. */
interface EmptyMonth {
  readonly tables: readonly string[];
  readonly bytes: number;
}

/**
 * Drops the partitions of past months in which no raw data is left: pruning runs empties them, and vacuum gives back little of their files. Only those
 * that this user owns. Whoever delivers rounds of such a month at the very moment gets an error, and makes the partitions when it tries again.
 *
 * @param db - on a server, open for writing
 * @returns bytes that the database has become smaller by
 */
export async function dropEmptyMonths(db: Db): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    // As `make_month` does.
    await sql`select pg_advisory_xact_lock(hashtextextended('edgeflex month', 0))`.execute(transaction);
    const { rows } = await sql<{ readonly table: string; readonly month: string; readonly bytes: number }>`
      select c.relname as table, right(c.relname, 7) as month, pg_total_relation_size(c.oid) as bytes
      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
      where p.relname in (${sql.join(rawTableNames)}) and c.relnamespace = current_schema()::regnamespace
        and right(c.relname, 7) < to_char(now(), 'YYYY_MM') and pg_has_role(c.relowner, 'member')
      order by month`.execute(transaction);
    const months = new Map<string, EmptyMonth>();
    for (const { table, month, bytes } of rows) {
      const known = months.get(month);
      months.set(month, { tables: [...(known?.tables ?? []), table], bytes: (known?.bytes ?? 0) + bytes });
    }
    let freed = 0;
    for (const { tables, bytes } of months.values()) {
      const filled = await sql<{ readonly filled: boolean }>`
        select ${sql.join(
          tables.map((table) => sql`exists (select from ${sql.table(table)})`),
          sql` or `,
        )} as filled`.execute(transaction);
      if (filled.rows[0]?.filled !== false) continue;
      for (const table of tables) await sql`drop table ${sql.table(table)}`.execute(transaction);
      freed += bytes;
    }
    return freed;
  });
}
