import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { ResourceError } from '../../src/base/errors.js';
import { checkedAddress, withoutPassword } from '../../src/base/server-address.js';
import { migrations } from '../../src/store/migrations.js';
import { openExisting, openForReading, openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns, loadRun } from '../../src/store/read.js';
import { RunLease } from '../../src/store/lease.js';
import { endCell, endRun, insertRound, insertRun } from '../../src/store/write.js';
import { describePostgres, onDatabase, onServer, useDatabase } from '../support/postgres.js';
import { refusalOf } from '../support/refusal.js';
import { fullMeasurement, labels, newRun, placeOf, storeCell } from '../support/rows.js';

async function opened(making: Promise<Db>): Promise<Db> {
  const db = await making;
  onTestFinished(() => db.destroy());
  return db;
}

/** The first value of each row. */
async function column(url: string, query: string): Promise<unknown[]> {
  const { rows } = await onDatabase(url, query);
  return rows.map((row) => Object.values(row as object)[0] as unknown);
}

describe('an address', () => {
  it.each([
    ['postgres://user:secret@host:5432/db', 'postgres://user@host:5432/db'],
    ['postgresql://user:se:cr@et@host/db', 'postgresql://user@host/db'],
    ['postgres://user:se/cret@host/db', 'postgres://user@host/db'],
    ['postgres://user@host/db?password=secret&x=1', 'postgres://user@host/db?password=…&x=1'],
    ["edgeflex run x --db 'postgres://u:secret@h/d' --json", "edgeflex run x --db 'postgres://u@h/d' --json"],
    ['postgres://host/db', 'postgres://host/db'],
    ['results', 'results'],
  ])('is shown without its password: %s', (address, shown) => {
    expect(withoutPassword(address)).toBe(shown);
  });

  it.each([
    '',
    'results',
    'mysql://h/d',
    'postgres://h',
    'postgres://h/',
    'postgres://h/a/b',
    'postgres://u:p w@h:x/d',
  ])('is refused when it is none: "%s"', async (address) => {
    const fault = await refusalOf(() => Promise.resolve(checkedAddress(address, '--db')));
    expect(fault).toMatchObject({
      source: '--db',
      expected: expect.stringContaining('postgres://') as string,
    });
  });
});

describePostgres('a database on a server', () => {
  const url = useDatabase();
  const address = (user: string): string => {
    const own = new URL(url());
    [own.username = '', own.password = ''] = user.split(':');
    return own.href;
  };
  const migrated = (): Promise<unknown[]> =>
    column(url(), 'select name from edgeflex.kysely_migration order by 1');

  it('gets its schema once, of whoever comes first, and all can use it', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => openStore(url())));
    for (const [index, db] of all.entries()) await insertRun(db, newRun(`run-${index}`));
    expect(await listRuns(all[0]!)).toHaveLength(all.length);
    for (const db of all) await db.destroy();
    expect(await migrated()).toEqual(Object.keys(migrations));
    expect(
      await column(url(), "select relname from pg_class where relnamespace = 'public'::regnamespace"),
    ).toEqual([]);
  });

  it('is as it was when a change of the schema fails, or the schema is another program’s', async () => {
    // The change that makes the last of the functions cannot be made.
    await onDatabase(
      url(),
      'create schema edgeflex; create function edgeflex.make_month(beginning date) returns void language sql as $$ $$',
    );
    await expect(openStore(url())).rejects.toThrow(/make_month/);
    const relations = "select relname from pg_class where relnamespace = 'edgeflex'::regnamespace";
    expect(await column(url(), relations)).toEqual([]);
    await onDatabase(url(), 'create table edgeflex.leases (something text)');
    expect((await refusalOf(() => openStore(url()))).found).toContain('leases');
    const tables =
      "select relname from pg_class where relnamespace = 'edgeflex'::regnamespace and relkind = 'r'";
    expect(await column(url(), tables)).toEqual(['leases']);
  });

  it('is refused when a newer version has changed it', async () => {
    await (await openStore(url())).destroy();
    await onDatabase(
      url(),
      "insert into edgeflex.kysely_migration values ('0099-later', '2030-01-01T00:00:00.000Z')",
    );
    for (const open of [openStore, openForReading, openExisting])
      expect((await refusalOf(() => open(url()))).found).toContain('0099-later');
  });

  it('is brought up to date before it is read', async () => {
    await (await openStore(url())).destroy();
    await onDatabase(
      url(),
      "drop index edgeflex.runs_uid; alter table edgeflex.runs drop column uid; delete from edgeflex.kysely_migration where name = '0017-global-ids'",
    );
    expect(await listRuns(await opened(openForReading(url())))).toEqual([]);
    expect(await migrated()).toEqual(Object.keys(migrations));
  });

  it('is read as it is at one moment, and not written', async () => {
    const writer = await opened(openStore(url()));
    const reader = await opened(openForReading(url()));
    await insertRun(writer, newRun('one'));
    expect(await listRuns(reader)).toEqual([]);
    expect((await refusalOf(() => insertRun(reader, newRun('two')))).found).toContain('read-only');
    expect(await listRuns(await opened(openForReading(url())))).toHaveLength(1);
  });

  it('has the raw data of each month in partitions of its own, which go with their run', async () => {
    const db = await opened(openStore(url()));
    const cell = await storeCell(db, 'one', 'accuracy');
    const months = ['2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-05T00:00:00.000Z'];
    // Two that need the same new month do not wait for each other.
    await Promise.all(
      [...months, ...months].map((startedAt, round) =>
        insertRound(db, { ...placeOf(cell, round), startedAt }, fullMeasurement(), labels, true),
      ),
    );
    const counted =
      'select tableoid::regclass::text || count(*) from edgeflex.raw_samples group by tableoid order by 1';
    expect(await column(url(), counted)).toEqual(
      ['2026_11', '2026_12', '2027_01'].map((month) => `edgeflex.raw_samples_${month}2`),
    );
    expect((await loadRun(db, await findRun(db, 'one'))).cells[0]!.rounds).toHaveLength(6);
    await db.deleteFrom('runs').execute();
    expect(await column(url(), counted)).toEqual([]);
  });

  it('lets those in who have the rights that its page names, and nobody do more', async () => {
    await onServer('drop role if exists readers; drop role if exists recorders');
    onTestFinished(async () => {
      await onServer('drop role if exists readers; drop role if exists recorders');
    });
    await (await openStore(url())).destroy();
    await onServer("create role readers login password 'r'; create role recorders login password 'w'");
    const page = readFileSync(join(packageRoot(), 'docs', 'shared-store.md'), 'utf8');
    await onDatabase(url(), /```sql\n(.*?)```/s.exec(page)![1]!);
    const recorder = await opened(openStore(address('recorders:w')));
    const cell = await storeCell(recorder, 'one');
    const lease = await RunLease.take(recorder, 'one', () => undefined);
    await insertRound(recorder, placeOf(cell), fullMeasurement(), labels, true);
    await endCell(recorder, cell.id, 'done', null);
    await endRun(recorder, 'one', '2026-11-22T11:00:00.000Z');
    await lease.release();
    const reader = await opened(openForReading(address('readers:r')));
    expect(await listRuns(reader)).toMatchObject([{ id: 'one', state: 'complete' }]);
    const writing = await opened(openStore(address('readers:r')));
    const fault = await refusalOf(() => insertRun(writing, newRun('two')));
    expect(fault.found).toContain('permission denied');
    expect(fault.hint).toContain('docs/shared-store.md');
    // Roles cannot be dropped while they have rights here.
    for (const db of [recorder, reader, writing]) await db.destroy();
    await onDatabase(url(), 'drop owned by readers, recorders');
  });

  it.each([
    ['42501', 'rights', 'unwritable'],
    ['55P03', 'ten seconds', 'busy'],
    ['57P01', 'a PostgreSQL server that answers', 'unreachable'],
    ['XX001', 'what EdgeFlex stored there', 'damaged'],
  ])('explains what the server reports as %s', async (code, expected, kind) => {
    const db = await opened(openStore(url()));
    const raise = sql.raw(`do $$ begin raise exception 'so it says' using errcode = '${code}'; end $$`);
    const error: unknown = await raise.execute(db).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind, fault: { source: withoutPassword(url()) } });
    expect((error as Error).message).toContain('so it says');
    expect((error as Error).message).toContain(expected);
  });

  it('says that the disk is full as of a file, and that a text has what cannot be stored', async () => {
    const db = await opened(openStore(url()));
    const full = sql.raw("do $$ begin raise exception 'no space' using errcode = '53100'; end $$");
    await expect(full.execute(db)).rejects.toThrow(ResourceError);
    await expect(full.execute(db)).rejects.toThrow(/disk is full/);
    expect((await refusalOf(() => insertRun(db, newRun('one', { suite: 'a\0b' })))).expected).toContain(
      'UTF-8',
    );
  });

  it('is used again after a connection to it was cut', async () => {
    const db = await opened(openStore(url()));
    await insertRun(db, newRun('one'));
    await onDatabase(
      url(),
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    expect(await listRuns(db)).toHaveLength(1);
  });
});
