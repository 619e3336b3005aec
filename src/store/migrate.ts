import { DEFAULT_MIGRATION_TABLE, sql, type Kysely } from 'kysely';
import { migrations } from './migrations.js';
import { ServerColumns } from './postgres/columns.js';
import { refreshStatistics } from './postgres/statistics.js';
import { alone, isOnServer } from './server.js';

/** A change of the schema that an older or a newer version has made, or this one would. */
export interface SchemaState {
  /** Changes that the database has not seen yet, in order. */
  readonly missing: readonly string[];
  /** Changes that this version does not know. */
  readonly unknown: readonly string[];
}

/**
 * What a database has seen of the schema's changes.
 *
 * @param applied - names of those that it says it has seen
 */
export function schemaState(applied: readonly string[]): SchemaState {
  return {
    missing: Object.keys(migrations).filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !Object.hasOwn(migrations, name)),
  };
}

/**
 * Brings the schema up to date in one transaction, which holds the lock for writing from its beginning: of several processes that
 * open a database at once one makes the changes and the others find them made; one that is killed, or whose disk is full,
 * leaves the schema as it was. (Kysely's own migrator has no transaction on SQLite.) On a server the same changes make the same
 * tables, in a schema of PostgreSQL's of their own. What was applied is kept in the table that
 * Kysely's migrator keeps it in, so that older versions understand what they see.
 *
 * @param db - open for writing
 * @throws what the database throws; nothing is changed then
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const changed = await alone(db, 'schema', async (typed) => {
    // A schema in the making has no types.
    const untyped = typed as unknown as Kysely<Record<typeof DEFAULT_MIGRATION_TABLE, Applied>>;
    const transaction = isOnServer(db) ? untyped.withPlugin(new ServerColumns()) : untyped;
    if (isOnServer(db)) await makeSchema(transaction);
    await transaction.schema
      .createTable(DEFAULT_MIGRATION_TABLE)
      .ifNotExists()
      .addColumn('name', 'varchar(255)', (column) => column.notNull().primaryKey())
      .addColumn('timestamp', 'varchar(255)', (column) => column.notNull())
      .execute();
    const rows = await transaction.selectFrom(DEFAULT_MIGRATION_TABLE).select('name').execute();
    const { missing } = schemaState(rows.map((row) => row.name));
    for (const name of missing) {
      await migrations[name]?.up(transaction);
      await transaction
        .insertInto(DEFAULT_MIGRATION_TABLE)
        .values({ name, timestamp: new Date().toISOString() })
        .execute();
    }
    return missing.length > 0 && rows.length > 0;
  });
  if (changed) await refreshStatistics(db);
}

/**
 * Makes the schema that all tables lie in. Making one that is there takes rights that its user need not have. The catalogue is asked, and
 * no function that looks names up: those remember that there was none before this connection waited for whoever made it.
 */
async function makeSchema<T>(transaction: Kysely<T>): Promise<void> {
  const { rows } = await sql<{ there: boolean }>`
    select exists (select from pg_namespace where nspname = 'edgeflex') as there`.execute(transaction);
  if (rows[0]?.there !== true) await transaction.schema.createSchema('edgeflex').execute();
}

interface Applied {
  name: string;
  timestamp: string;
}
