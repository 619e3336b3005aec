import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { DEFAULT_MIGRATION_TABLE, Kysely, Migrator, SqliteDialect } from 'kysely';
import { foundBy, InputError, messageOf } from '../base/errors.js';
import { migrations } from './migrations.js';
import type { Tables } from './tables.js';

/** The results database. */
export type Db = Kysely<Tables>;

/**
 * Opens the results database for writing, makes it if it is not there, and brings its schema up to date. Write-ahead
 * logging lets another process read meanwhile.
 *
 * @param path - the SQLite file
 * @throws InputError when it cannot be written or is no database of ours
 */
export async function openStore(path: string): Promise<Db> {
  const refuse = (error: unknown): InputError =>
    new InputError({
      source: path,
      found: foundBy(error),
      expected: 'a results database that can be written',
      hint: 'Give a folder that can be written with --results.',
    });
  let database: Database.Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    database = new Database(path);
    checkOrigin(database);
    database.pragma('journal_mode = WAL');
    database.pragma('foreign_keys = ON');
    database.pragma('busy_timeout = 10000');
  } catch (error) {
    database?.close();
    throw refuse(error);
  }
  const db: Db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  }).migrateToLatest();
  if (error !== undefined) {
    await db.destroy();
    throw refuse(error);
  }
  return db;
}

/**
 * Opens the results database for reading. One that an older version left is brought up to date first.
 *
 * @param path - the SQLite file
 * @throws InputError when there is none, it is no database of ours, or it is an older version's and cannot be written
 */
export async function openForReading(path: string): Promise<Db> {
  refuseMissing(path);
  if (missingMigrations(path).length > 0) await bringUpToDate(path);
  return new Kysely<Tables>({
    dialect: new SqliteDialect({ database: new Database(path, { readonly: true }) }),
  });
}

/**
 * Opens a results database for writing, and makes none.
 *
 * @param path - the SQLite file
 * @throws InputError when there is none, it cannot be written or is no database of ours
 */
export async function openExisting(path: string): Promise<Db> {
  refuseMissing(path);
  return openStore(path);
}

function refuseMissing(path: string): void {
  if (existsSync(path)) return;
  throw new InputError({
    source: path,
    found: 'nothing',
    expected: 'a results database',
    hint: 'Nothing has been measured yet with these results: run a suite first, or name the folder with --results.',
  });
}

const WRITABLE = 'Make its folder writable, or copy it to one that is and name that with --results.';

/** Changes of the schema that a database has not seen yet. */
function missingMigrations(path: string): string[] {
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { readonly: true });
    if (tablesOf(database).length === 0) throw new Error('an empty database');
    checkOrigin(database);
    const applied = appliedMigrations(database);
    return Object.keys(migrations).filter((name) => !applied.includes(name));
  } catch (error) {
    const locked = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_READONLY');
    throw new InputError({
      source: path,
      found: messageOf(error),
      expected: 'a results database',
      // Readers and writers agree through a file beside the database, which a reader makes where there is none.
      ...(locked ? { hint: WRITABLE } : {}),
    });
  } finally {
    database?.close();
  }
}

async function bringUpToDate(path: string): Promise<void> {
  try {
    await (await openStore(path)).destroy();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError({
      source: path,
      found: `a database of an older EdgeFlex, which could not be brought up to date (${error.fault.found})`,
      expected: 'a results database that can be written, this once',
      hint: WRITABLE,
    });
  }
}

/** Refuses a database with tables that are not ours, or that a later version of this code has changed. */
function checkOrigin(database: Database.Database): void {
  const tables = tablesOf(database);
  if (tables.length === 0) return;
  if (!tables.includes(DEFAULT_MIGRATION_TABLE)) throw new Error('a database of something else');
  const unknown = appliedMigrations(database).find((name) => !Object.hasOwn(migrations, name));
  if (unknown !== undefined)
    throw new Error(
      `a database of a newer EdgeFlex (its schema has ${unknown}, which this one does not know)`,
    );
}

function appliedMigrations(database: Database.Database): string[] {
  return database.prepare(`select name from ${DEFAULT_MIGRATION_TABLE}`).pluck().all() as string[];
}

function tablesOf(database: Database.Database): unknown[] {
  return database.prepare("select name from sqlite_master where type = 'table'").pluck().all();
}
