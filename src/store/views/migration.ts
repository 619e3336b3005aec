import { PostgresAdapter, sql, type Kysely } from 'kysely';
import { views } from './list.js';
import { postgresParts, sqliteParts } from './parts.js';

/**
 * Makes the views, anew where there are some. A view is changed by a further migration that does this, in place of the one before: a
 * database of any version comes to the same views (test/store/views.test.ts).
 *
 * SQLite looks through all views when a column is dropped or renamed: such a migration drops the views first, too.
 *
 * @param db - with all tables
 */
export async function remakeViews(db: Kysely<unknown>): Promise<void> {
  for (const { name } of [...views].reverse()) await db.schema.dropView(name).ifExists().execute();
  const parts = db.getExecutor().adapter instanceof PostgresAdapter ? postgresParts : sqliteParts;
  for (const { name, sql: query } of views)
    await db.schema
      .createView(name)
      .as(sql.raw(query(parts)))
      .execute();
}
