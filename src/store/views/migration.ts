import { PostgresAdapter, sql, type Kysely } from 'kysely';
import { views } from './list.js';
import { postgresParts, sqliteParts } from './parts.js';

/**
 * Makes the views. A view that is released is changed by a further migration, which drops it and those that are made of it; what this one
 * made of it before stays the same, so that a database of any version comes to the same views (test/store/views.test.ts).
 *
 * SQLite looks through all views when a column is dropped or renamed: such a migration drops the views first, too.
 *
 * @param db - with all tables
 */
export async function makeViews(db: Kysely<unknown>): Promise<void> {
  const parts = db.getExecutor().adapter instanceof PostgresAdapter ? postgresParts : sqliteParts;
  for (const { name, sql: query } of views)
    await db.schema
      .createView(name)
      .as(sql.raw(query(parts)))
      .execute();
}

/**
 * Makes the views anew, where some of them are said in another way than when they were made.
 *
 * @param db - with views that were made before
 */
export async function remakeViews(db: Kysely<unknown>): Promise<void> {
  for (const { name } of [...views].reverse()) await db.schema.dropView(name).ifExists().execute();
  await makeViews(db);
}
