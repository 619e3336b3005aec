import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chmod, writeFile } from 'node:fs/promises';
import { Database } from '../../src/base/sqlite.js';
import { Kysely, Migrator, sql, SqliteDialect } from 'kysely';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { migrations } from '../../src/store/migrations.js';
import { openForReading, openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns, loadRun } from '../../src/store/read.js';
import { insertRun } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { withoutWriting } from '../support/permissions.js';
import { refusalOf } from '../support/refusal.js';
import { newRun } from '../support/rows.js';

const folder = useFolder();
const schemas = join(packageRoot(), 'test', 'store', 'schemas');

/** Opens the folder's database for a test and closes it afterwards. */
async function open(): Promise<Db> {
  const db = await openStore(folder('results.sqlite'));
  onTestFinished(() => db.destroy());
  return db;
}

/** Makes a database with another program. */
function foreign(path: string, ...statements: string[]): void {
  const database = new Database(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

async function pragma(db: Db, name: string): Promise<unknown> {
  const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db);
  return Object.values(rows[0]!)[0];
}

describe('a results database', () => {
  it('is made where there is none, folders included, with all its tables', async () => {
    const db = await openStore(folder('a', 'b', 'results.sqlite'));
    onTestFinished(() => db.destroy());
    const tables = (await db.introspection.getTables()).map(({ name }) => name);
    expect(tables).toEqual(
      expect.arrayContaining(['runs', 'devices', 'variants', 'cells', 'rounds', 'samples', 'predictions']),
    );
    expect(await listRuns(db)).toEqual([]);
  });

  it('logs ahead, enforces foreign keys, and waits for others', async () => {
    const db = await open();
    expect(await pragma(db, 'journal_mode')).toBe('wal');
    expect(await pragma(db, 'foreign_keys')).toBe(1);
    expect(await pragma(db, 'busy_timeout')).toBeGreaterThanOrEqual(1000);
  });

  it('keeps what is in it when it is opened again', async () => {
    const first = await openStore(folder('results.sqlite'));
    await insertRun(first, newRun('one'));
    await first.destroy();
    expect((await listRuns(await open())).map(({ id }) => id)).toEqual(['one']);
  });

  it('cannot be written through a reader', async () => {
    await open();
    const reader = await openForReading(folder('results.sqlite'));
    onTestFinished(() => reader.destroy());
    await expect(insertRun(reader, newRun('one'))).rejects.toThrow(/readonly/);
  });
});

describe.each([
  ['writing', (path: string) => openStore(path)],
  ['reading', (path: string) => openForReading(path)],
])('a file opened for %s', (_, openPath) => {
  const path = (): string => folder('results.sqlite');

  it('is refused when it is no database', async () => {
    await writeFile(path(), 'This is a text, and long enough that SQLite looks at it. '.repeat(30));
    const fault = await refusalOf(() => openPath(path()));
    expect(fault.source).toBe(path());
    expect(fault.found).toMatch(/not a database/);
    expect(fault.expected).toMatch(/^a results database/);
  });

  it('is refused, and left alone, when it is a database of something else', async () => {
    foreign(path(), 'create table recipes (name text)');
    expect((await refusalOf(() => openPath(path()))).found).toBe('a database of another program');
    const database = new Database(path());
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete');
    expect(database.prepare('select name from sqlite_master').pluck().all()).toEqual(['recipes']);
    database.close();
  });

  it('is refused when a newer version has changed its schema', async () => {
    await (await openStore(path())).destroy();
    foreign(path(), "insert into kysely_migration values ('0099-later', '2030-01-01T00:00:00.000Z')");
    const { found } = await refusalOf(() => openPath(path()));
    expect(found).toContain('a newer EdgeFlex');
    expect(found).toContain('0099-later');
  });

  it('is refused when it is a folder', async () => {
    mkdirSync(path());
    expect((await refusalOf(() => openPath(path()))).source).toBe(path());
  });
});

describe('a place for results', () => {
  it('is refused, with what to do about it, when it cannot be written', async () => {
    const fault = await withoutWriting(folder(), () =>
      refusalOf(() => openStore(folder('deeper', 'results.sqlite'))),
    );
    expect(fault.found).toBe('no permission');
    expect(fault.hint).toContain('--results');
  });

  it('is refused when only the database itself cannot be made', async () => {
    const fault = await withoutWriting(folder(), () => refusalOf(() => openStore(folder('results.sqlite'))));
    expect(fault.found).toMatch(/unable to open/);
    expect(fault.expected).toBe('a results database that can be written');
  });

  it('is refused when a file stands in the way', async () => {
    await writeFile(folder('file'), '');
    const fault = await refusalOf(() => openStore(folder('file', 'results.sqlite')));
    expect(fault.found).toBe('a file where a directory belongs');
  });

  it('has nothing to read before the first run', async () => {
    const fault = await refusalOf(() => openForReading(folder('results.sqlite')));
    expect(fault).toMatchObject({ source: folder('results.sqlite'), found: 'no such file' });
    expect(fault.hint).toContain('run a suite first');
    await writeFile(folder('empty.sqlite'), '');
    expect((await refusalOf(() => openForReading(folder('empty.sqlite')))).found).toBe('an empty database');
  });
});

describe('a database of an older version', () => {
  const path = (): string => folder('results.sqlite');

  /** Makes a database as the first version left it, with a run in it. */
  async function makeFirst(): Promise<void> {
    const database = new Database(path());
    database.pragma('journal_mode = WAL');
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    const first = { '0001-first': migrations['0001-first']! };
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(first) },
    }).migrateToLatest();
    if (error !== undefined) throw new Error('the first migration failed', { cause: error });
    const { id, suite, plan_hash, seed, command, version, started_at, data_json } = newRun('old');
    database
      .prepare(
        'insert into runs (id, suite, plan_hash, seed, command, version, started_at, data_json) values (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(id, suite, plan_hash, seed, command, version, started_at, data_json);
    await db.destroy();
  }

  it('is brought up to date before it is read, and keeps what is in it', async () => {
    await makeFirst();
    const db = await openForReading(path());
    onTestFinished(() => db.destroy());
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(migrations));
    const run = await findRun(db, 'old');
    expect(run).toMatchObject({ suite: 'tiny', repository_json: null });
    expect((await loadRun(db, run)).cells).toEqual([]);
    await expect(insertRun(db, newRun('new'))).rejects.toThrow(/readonly/);
  });

  it('is read from a copy when it cannot be written, and stays as it is', async () => {
    await makeFirst();
    const before = readFileSync(path());
    const readOld = (): Promise<string[]> =>
      withoutWriting(folder(), async () => {
        const db = await openForReading(path());
        const ids = (await listRuns(db)).map(({ id }) => id);
        await db.destroy();
        return ids;
      });
    await chmod(path(), 0o444);
    expect(await readOld()).toEqual(['old']);
    expect(readFileSync(path())).toEqual(before);
    expect(readdirSync(folder())).toEqual(['results.sqlite']);
    // Another program that has it open has made the file through which readers and writers agree.
    const database = new Database(path());
    onTestFinished(() => void database.close());
    const names = database.prepare('select name from kysely_migration').pluck();
    expect(names.all()).toEqual(['0001-first']);
    expect(await readOld()).toEqual(['old']);
    expect(names.all()).toEqual(['0001-first']);
  });
});

/** Databases as each version of the schema left them, made by those versions. */
describe.each(readdirSync(schemas))('a database of schema %s', (name) => {
  const path = (): string => folder('results.sqlite');

  beforeEach(() => {
    foreign(path(), 'pragma journal_mode = wal', readFileSync(join(schemas, name), 'utf8'));
  });

  it('is brought up to date with all that is in it', async () => {
    const db = await openForReading(path());
    onTestFinished(() => db.destroy());
    const [run] = await listRuns(db);
    const { cells } = await loadRun(db, await findRun(db, run!.id));
    expect(cells.map(({ rounds }) => rounds.length)).toEqual([1]);
    expect(cells[0]!.rounds[0]!.samples).toEqual([3.25, 1.5, 2]);
    const fresh = await openStore(folder('fresh.sqlite'));
    onTestFinished(() => fresh.destroy());
    expect(await shapeOf(db)).toEqual(await shapeOf(fresh));
  });

  it('is as it was when a change fails half way', async () => {
    const database = new Database(path());
    const before = dump(database);
    // What an interrupted change of an older version left: the last change cannot be made.
    database.exec('create table leases (something text)');
    const fault = await refusalOf(() => openStore(path()));
    expect(fault.found).toContain('leases');
    expect(fault.hint).toContain('edgeflex store recover');
    database.exec('drop table leases');
    expect(dump(database)).toEqual(before);
    database.close();
    await (await openStore(path())).destroy();
  });
});

/** Tables and their columns. */
async function shapeOf(db: Db): Promise<unknown> {
  const tables = (await db.introspection.getTables()).filter(({ name }) => !name.startsWith('kysely'));
  return tables.map(({ name, columns }) => [name, columns.map((column) => column.name).sort()]);
}

/** The schema and which changes it has seen. */
function dump(database: Database): unknown {
  return [
    database.prepare('select name, sql from sqlite_master order by name').all(),
    database.prepare('select * from kysely_migration').all(),
  ];
}
