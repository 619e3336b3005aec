import { existsSync, statSync } from 'node:fs';
import { chmod, copyFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database } from '../base/sqlite.js';
import type Library from 'better-sqlite3';
import { DEFAULT_MIGRATION_TABLE, Kysely } from 'kysely';
import { foundBy, ResourceError } from '../base/errors.js';
import { makeFolders } from '../base/folder.js';
import { isServerAddress, withoutPassword } from '../base/server-address.js';
import { temporaryFolder } from '../base/temporary.js';
import { writeFailure } from '../base/write-failure.js';
import { locate } from './checked.js';
import { StoreDialect } from './dialect.js';
import { asStoreError, newerStore, NO_RESULTS, RECOVER, StoreError } from './error.js';
import { migrate, schemaState, type SchemaState } from './migrate.js';
import type { ServerWishes } from './postgres/open.js';
import type { Tables } from './tables.js';

/** The results database. */
export type Db = Kysely<Tables>;

/** How long a process waits for another one's lock, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Opens the results database for writing, makes it if it is not there, and brings its schema up to date: in one transaction, so
 * that whoever is killed meanwhile leaves it as it was. Write-ahead logging lets other processes read meanwhile; several may
 * open a new or an old one at the same time.
 *
 * @param path - the SQLite file, or the address of a database on a PostgreSQL server
 * @param wishes - of a server: how long it may take to answer
 * @throws StoreError when it cannot be written, is no database of ours, a newer one's or damaged; ResourceError when the disk is full
 */
export async function openStore(
  path: string,
  { answerWithin }: Pick<ServerWishes, 'answerWithin'> = {},
): Promise<Db> {
  if (isServerAddress(path)) return onServer(path, { mode: 'write', answerWithin });
  try {
    makeFolders(dirname(path));
  } catch (error) {
    throw unwritable(path, foundBy(error));
  }
  const database = connect(path, {});
  try {
    checkState(database, path);
    await logAhead(database);
    database.pragma('foreign_keys = ON');
    // Each commit reaches the disk: what is stored survives a loss of power, too.
    database.pragma('synchronous = FULL');
    const db: Db = locate(new Kysely<Tables>({ dialect: new StoreDialect(database, path) }), path);
    if (checkState(database, path).missing.length > 0) await migrateOrExplain(db, path);
    return db;
  } catch (error) {
    database.close();
    throw asStoreError(error, path);
  }
}

/**
 * Opens the results database for reading: what is read is all of one moment, whatever others store or delete meanwhile. One that
 * an older version left is brought up to date first. One that may only be read (a read-only file system, a folder of somebody
 * else's) is read from a copy among the temporary files where SQLite needs to write beside it.
 *
 * @param path - the SQLite file, or the address of a database on a server
 * @throws StoreError when there is none, it is no database of ours, a newer one's or damaged
 */
export async function openForReading(path: string): Promise<Db> {
  if (isServerAddress(path)) return onServer(path, { mode: 'read' });
  refuseMissing(path);
  let missing: readonly string[];
  let database: Database | undefined;
  try {
    database = connect(path, { readonly: true });
    const state = checkState(database, path);
    if (state.empty) throw nothingYet(path, 'an empty database');
    ({ missing } = state);
  } catch (error) {
    database?.close();
    const explained = asStoreError(error, path);
    if (!(explained instanceof StoreError) || explained.kind !== 'unwritable') throw explained;
    // Readers and writers agree through a file beside the database; where it cannot be made, nobody has the database open.
    return openCopy(path, (copy) => copyDatabase(path, copy));
  }
  if (missing.length === 0) return momentOf(database, path);
  try {
    await (await openStore(path)).destroy();
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== 'unwritable') {
      database.close();
      throw error;
    }
    const old = database;
    return await openCopy(path, (copy) => old.backup(copy)).finally(() => {
      old.close();
    });
  }
  database.close();
  return momentOf(connect(path, { readonly: true }), path);
}

/**
 * Opens a results database for writing, and makes none.
 *
 * @param path - the SQLite file, or the address of a database on a server
 * @throws StoreError when there is none, it cannot be written, is no database of ours or damaged
 */
export async function openExisting(path: string): Promise<Db> {
  if (isServerAddress(path)) return onServer(path, { mode: 'existing' });
  refuseMissing(path);
  return openStore(path);
}

/**
 * Opens a file of runs for reading and leaves it as it is, also one that an older version wrote.
 *
 * @param path - the SQLite file
 * @throws StoreError when there is none, it is no database of ours, a newer one's or damaged
 */
export async function openFileForReading(path: string): Promise<Db> {
  refuseMissing(path);
  const database = connect(path, { readonly: true });
  let state: ReturnType<typeof checkState>;
  try {
    state = checkState(database, path);
  } catch (error) {
    const explained = asStoreError(error, path);
    database.close();
    // On a file system that can only be read.
    if (explained instanceof StoreError && explained.kind === 'unwritable') return openForReading(path);
    throw explained;
  }
  if (!state.empty && state.missing.length === 0) return momentOf(database, path);
  if (state.empty) {
    database.close();
    throw nothingYet(path, 'an empty database');
  }
  return openCopy(path, (copy) => database.backup(copy)).finally(() => {
    database.close();
  });
}

/**
 * Leaves a database that nobody has open as one file, which needs no other beside it: for one that is moved or only read.
 *
 * @param path - the SQLite file
 */
export function sealFile(path: string): void {
  const database = connect(path, {});
  try {
    database.pragma('journal_mode = delete');
  } finally {
    database.close();
  }
}

/** Opens a database on a server: what that takes is loaded for it alone. */
async function onServer(address: string, wishes: ServerWishes): Promise<Db> {
  const { openOnServer } = await import('./postgres/open.js');
  return openOnServer(address, wishes);
}

/**
 * A connection to an SQLite file, which waits for other processes' locks.
 *
 * @param path - the file
 * @param options - better-sqlite3's
 * @throws StoreError when the file cannot be opened
 */
export function connect(path: string, options: Library.Options): Database {
  if (isServerAddress(path))
    throw new StoreError('foreign', {
      source: withoutPassword(path),
      found: 'a database on a server',
      expected: 'results in a folder, whose database is a file',
      hint: 'For one on a server, PostgreSQL brings pg_dump to back it up, pg_restore, and pg_amcheck to check it.',
    });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new StoreError('foreign', { source: path, found: 'a directory', expected: 'a results database' });
  try {
    return new Database(path, { timeout: PATIENCE, ...options });
  } catch (error) {
    throw asStoreError(error, path);
  }
}

/** A database and the folder of its own that goes when it is closed. */
class TemporaryStore extends Kysely<Tables> {
  constructor(
    dialect: StoreDialect,
    private readonly folder: string,
  ) {
    super({ dialect });
  }

  override async destroy(): Promise<void> {
    await super.destroy();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function openCopy(path: string, copyTo: (copy: string) => Promise<unknown>): Promise<Db> {
  const folder = await temporaryFolder('results');
  try {
    const copy = join(folder, 'edgeflex.db');
    await copyTo(copy);
    await (await openStore(copy)).destroy();
    return locate(
      new TemporaryStore(new StoreDialect(connect(copy, { readonly: true }), path), folder),
      path,
    );
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw renamed(error, path);
  }
}

/** Copies a database that nobody has open, and what of it lies in its log. */
async function copyDatabase(path: string, copy: string): Promise<void> {
  for (const suffix of ['', '-wal']) {
    if (suffix !== '' && !existsSync(path + suffix)) continue;
    try {
      await copyFile(path + suffix, copy + suffix);
      await chmod(copy + suffix, 0o600);
    } catch (error) {
      const failure = writeFailure(copy, error, { kept: `A copy of ${path} must be made there to read it.` });
      if (failure instanceof ResourceError) throw failure;
      throw new StoreError('unwritable', {
        source: path,
        found: foundBy(error),
        expected: 'a results database that can be read',
      });
    }
  }
}

/** Lets a connection see what the database holds now until it is closed. */
function momentOf(database: Database, path: string): Db {
  try {
    database.exec('begin');
    database.prepare('select count(*) from sqlite_master').get();
  } catch (error) {
    database.close();
    throw asStoreError(error, path);
  }
  return locate(new Kysely<Tables>({ dialect: new StoreDialect(database, path) }), path);
}

/** SQLite does not wait for a lock when it changes to write-ahead logging. */
async function logAhead(database: Database): Promise<void> {
  const started = Date.now();
  for (;;) {
    try {
      if (database.pragma('journal_mode', { simple: true }) === 'wal') return;
      database.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const busy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!busy || Date.now() - started > PATIENCE) throw error;
    }
    await sleep(20 + Math.random() * 50);
  }
}

async function migrateOrExplain(db: Db, path: string): Promise<void> {
  try {
    await migrate(db);
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind !== 'damaged') throw error;
    throw new StoreError(
      'damaged',
      {
        source: path,
        found: `a schema that an interrupted migration has left incomplete (${error.fault.found})`,
        expected: 'the schema of a version of EdgeFlex',
        hint: RECOVER,
      },
      { cause: error },
    );
  }
}

function refuseMissing(path: string): void {
  if (!existsSync(path)) throw nothingYet(path, 'no such file');
}

function nothingYet(path: string, found: string): StoreError {
  return new StoreError('missing', {
    source: path,
    found,
    expected: 'a results database',
    hint: NO_RESULTS,
  });
}

function unwritable(path: string, found: string): StoreError {
  return new StoreError('unwritable', {
    source: path,
    found,
    expected: 'a results database that can be written',
    hint: 'Choose a writable folder with --results.',
  });
}

/** The error of a copy, told of what it is a copy of. */
function renamed(error: unknown, path: string): unknown {
  return error instanceof StoreError
    ? new StoreError(error.kind, { ...error.fault, source: path }, { cause: error })
    : error;
}

/**
 * What a database has seen of the schema's changes; refuses one with tables that are not ours, or that a later version of this
 * code has changed.
 */
function checkState(database: Database, path: string): SchemaState & { readonly empty: boolean } {
  const tables = database.prepare("select name from sqlite_master where type = 'table'").pluck().all();
  if (tables.length === 0) return { ...schemaState([]), empty: true };
  const expected = 'a results database';
  if (!tables.includes(DEFAULT_MIGRATION_TABLE))
    throw new StoreError('foreign', { source: path, found: 'a database of another program', expected });
  const applied = database.prepare(`select name from ${DEFAULT_MIGRATION_TABLE}`).pluck().all() as string[];
  const state = schemaState(applied);
  if (state.unknown.length > 0) throw newerStore(path, state.unknown);
  return { ...state, empty: false };
}
