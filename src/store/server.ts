import { defined } from '../base/defined.js';
import { PostgresAdapter, sql, type Kysely, type QueryExecutorProvider, type Transaction } from 'kysely';

/**
 * Whether a store is a database on a PostgreSQL server, and no file of SQLite.
 *
 * @param db - the store, or a transaction in it
 */
export function isOnServer(db: QueryExecutorProvider): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * Does something in a transaction while nobody else does anything under the same name: what is read first is still true when it is
 * written. On SQLite a transaction has the lock for writing from its beginning; on a server the name is locked.
 *
 * @param db - open for writing
 * @param name - what is done alone: `run 2026…`
 * @param work - gets the transaction
 */
export async function alone<T, Value>(
  db: Kysely<T>,
  name: string,
  work: (transaction: Transaction<T>) => Promise<Value>,
): Promise<Value> {
  return db.transaction().execute(async (transaction) => {
    await lock(transaction, name);
    return work(transaction);
  });
}

/**
 * Locks a name until a transaction ends, on a server; on SQLite a transaction has the lock for writing anyway.
 *
 * @param transaction - that keeps the lock
 * @param name - what is done alone: `run 2026…`
 */
export async function lock(transaction: QueryExecutorProvider, name: string): Promise<void> {
  if (!isOnServer(transaction)) return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`edgeflex ${name}`}, 0))`.execute(transaction);
}

/** Clocks that differ by less than this, in milliseconds, are taken for the same: the answer takes its time. */
const SAME_CLOCK = 60_000;

/**
 * By how many seconds the clock of this machine is ahead of a store's.
 *
 * @returns negative where it is behind; 0 for a file, and where both are the same but for a minute
 */
export async function clockOffset(db: QueryExecutorProvider): Promise<number> {
  const offset = Date.now() - (await storeTime(db));
  return Math.abs(offset) < SAME_CLOCK ? 0 : Math.round(offset / 1000);
}

/**
 * What time it is by the clock that all who use a store go by: the server's, or this machine's for a file.
 *
 * @returns milliseconds since 1970
 */
export async function storeTime(db: QueryExecutorProvider): Promise<number> {
  if (!isOnServer(db)) return Date.now();
  const { rows } = await sql<{ at: number }>`
    select extract(epoch from clock_timestamp()) * 1000 as at`.execute(db);
  return defined(rows[0], 'the time').at;
}
