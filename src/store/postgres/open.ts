import { DEFAULT_MIGRATION_TABLE, Kysely, sql } from 'kysely';
import { checkedAddress, withoutPassword } from '../../base/server-address.js';
import { locate } from '../checked.js';
import { newerStore, StoreError } from '../error.js';
import { migrate, schemaState, type SchemaState } from '../migrate.js';
import type { Db } from '../open.js';
import type { Tables } from '../tables.js';
import { ServerDialect } from './dialect.js';
import { connections } from './library.js';

/** How a database on a server is opened. */
export interface ServerWishes {
  /** `write`: its schema is made or brought up to date. `read`: all that is read is of one moment. `existing`: written, but not made. */
  readonly mode: 'write' | 'read' | 'existing';
  /** An answer that takes longer means that the server has gone, in milliseconds; undefined: however long it takes. */
  readonly answerWithin?: number | undefined;
}

/** Connections of a process that writes. */
const MOST_CONNECTIONS = 4;

/**
 * Opens the results database on a PostgreSQL server.
 *
 * @param address - `postgres://user@host:port/database`
 * @param wishes - what for
 * @throws StoreError when nobody answers, the user is not let in or has not the rights, there is nothing to read, or a newer version has
 *   changed its schema; InputError when the address is none, or the driver is not installed
 */
export async function openOnServer(address: string, { mode, answerWithin }: ServerWishes): Promise<Db> {
  checkedAddress(address, '--db');
  const shown = withoutPassword(address);
  const open = async (ofOneMoment: boolean): Promise<Db> => {
    const pool = await connections(address, { most: ofOneMoment ? 1 : MOST_CONNECTIONS, answerWithin });
    return locate(new Kysely<Tables>({ dialect: new ServerDialect(pool, shown, ofOneMoment) }), shown);
  };
  const db = await open(mode === 'read');
  try {
    const { missing, empty } = await checkState(db, shown);
    if (mode !== 'write' && empty)
      throw new StoreError('missing', {
        source: shown,
        found: 'a database without results',
        expected: 'a results database',
        hint: 'Run a suite with this --db, or bring runs there with "edgeflex runs push".',
      });
    if (missing.length === 0) return db;
    if (mode !== 'read') {
      await migrate(db);
      return db;
    }
  } catch (error) {
    await db.destroy();
    throw error;
  }
  // What it shows is of a moment before the change.
  await db.destroy();
  await (await openOnServer(address, { mode: 'existing', answerWithin })).destroy();
  return open(true);
}

/** What a database has seen of the schema's changes. @throws StoreError when it is of a newer version */
async function checkState(db: Db, shown: string): Promise<SchemaState & { readonly empty: boolean }> {
  const { rows } = await sql<{ there: boolean }>`
    select to_regclass(${`edgeflex.${DEFAULT_MIGRATION_TABLE}`}) is not null as there`.execute(db);
  if (rows[0]?.there !== true) {
    const { rows: others } = await sql<{ name: string }>`
      select relname as name from pg_class where relnamespace = to_regnamespace('edgeflex') limit 1`.execute(
      db,
    );
    if (others[0] !== undefined)
      throw new StoreError('foreign', {
        source: shown,
        place: 'schema edgeflex',
        found: `${others[0].name}, of another program or of an interrupted restoration`,
        expected: 'the tables of a results database, or no such schema',
        hint: 'Give another database, or drop that schema if nobody needs it.',
      });
    return { ...schemaState([]), empty: true };
  }
  const { rows: applied } = await sql<{ name: string }>`
    select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db);
  const state = schemaState(applied.map(({ name }) => name));
  if (state.unknown.length > 0) throw newerStore(shown, state.unknown);
  return { ...state, empty: false };
}
