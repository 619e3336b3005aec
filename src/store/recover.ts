import type { Statement } from 'better-sqlite3';
import { Database } from '../base/sqlite.js';
import { predictedClasses } from '../protocol/measurement.js';
import { content, contentFault } from './content.js';
import { asStoreError } from './error.js';
import { giveGlobalIds } from './global-id.js';
import { connect, openStore } from './open.js';
import type { Tables } from './tables.js';

/** Something that is wrong in a database. */
export interface StoreFault {
  /** The table, or `file` for what is wrong with the pages. */
  readonly where: string;
  /** What is wrong, with the row. */
  readonly what: string;
}

/** What became of a table's rows. */
export interface RecoveredTable {
  readonly table: string;
  readonly copied: number;
  /** Rows that were read, and cannot be what was stored. */
  readonly leftOut: number;
  /** Whether a part of the table could not be read at all. */
  readonly cut: boolean;
}

/** Parents before those that name them. */
const tables = Object.keys(content) as (keyof Tables)[];

/** A message for each row is too many where a whole table is damaged. */
const FAULTS_SHOWN = 100;

/**
 * Looks through a whole database: its pages, what its rows refer to, and what stands in every column. Nothing is changed.
 *
 * @param path - the SQLite file
 * @returns what is wrong, at most 100 of each kind; empty when nothing is
 * @throws StoreError when it cannot be opened at all
 */
export function checkStore(path: string): StoreFault[] {
  const database = connect(path, { readonly: true, fileMustExist: true });
  const faults: StoreFault[] = [];
  const attempt = (where: string, look: () => void): void => {
    try {
      look();
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      faults.push({ where, what: error.message });
    }
  };
  try {
    attempt('file', () => {
      for (const { integrity_check: what } of database.pragma('integrity_check') as {
        integrity_check: string;
      }[])
        if (what !== 'ok') faults.push({ where: 'file', what });
    });
    attempt('file', () => {
      const broken = database.pragma('foreign_key_check') as {
        table: string;
        rowid: number;
        parent: string;
      }[];
      for (const { table, rowid, parent } of broken.slice(0, FAULTS_SHOWN))
        faults.push({ where: table, what: `row ${rowid} belongs to a row of ${parent} that is not there` });
    });
    const present = new Set<unknown>();
    attempt('file', () => {
      for (const name of namesOfTables(database)) present.add(name);
    });
    for (const table of tables.filter((each) => present.has(each)))
      attempt(table, () => {
        let found = 0;
        for (const row of database.prepare(`select rowid as row_id, * from "${table}"`).iterate()) {
          const fault = contentFault(table, row as object);
          if (fault === undefined || ++found > FAULTS_SHOWN) continue;
          const { row_id: id } = row as { row_id: number };
          faults.push({
            where: table,
            what: `row ${id}: ${fault.column} is ${fault.found}, expected ${fault.expected}`,
          });
        }
      });
    if (present.has('predictions') && present.has('logits'))
      attempt('predictions', () => {
        faults.push(...contradictions(database).slice(0, FAULTS_SHOWN));
      });
    return faults;
  } catch (error) {
    throw asStoreError(error, path);
  } finally {
    database.close();
  }
}

/**
 * Copies every row that can be read, and that is what EdgeFlex would have stored, into a new database of the newest schema. The
 * damaged one stays as it is. Works on what an interrupted change of the schema has left, too.
 *
 * @param path - the damaged SQLite file
 * @param target - where the new one goes; there must be none
 * @returns what became of each table
 * @throws StoreError when nothing can be read at all
 */
export async function recoverStore(path: string, target: string): Promise<RecoveredTable[]> {
  const source = connect(path, { readonly: true, fileMustExist: true });
  try {
    const present = new Set(namesOfTables(source));
    await (await openStore(target)).destroy();
    const copy = connect(target, {});
    let recovered: RecoveredTable[];
    try {
      copy.pragma('foreign_keys = ON');
      const found = tables.filter((table) => present.has(table) && table !== 'leases' && table !== 'kept');
      recovered = found.map((table) => copyTable(source, copy, table));
    } finally {
      copy.close();
    }
    const db = await openStore(target);
    await giveGlobalIds(db).finally(() => db.destroy());
    return recovered;
  } catch (error) {
    throw asStoreError(error, path);
  } finally {
    source.close();
  }
}

/** Predictions that are not the class of the largest logit that is stored beside them. */
function contradictions(database: Database): StoreFault[] {
  const portions = database.prepare<[], { round_id: number; first: number; classes: number; data: Buffer }>(
    'select round_id, first, classes, data from logits where round_id in (select round_id from predictions)',
  );
  const stored = database.prepare<[number, number, number], { image: number; predicted: number }>(
    'select image, predicted from predictions where round_id = ? and image >= ? and image < ? order by image',
  );
  const faults: StoreFault[] = [];
  for (const { round_id: round, first, classes, data } of portions.all()) {
    if (classes < 1 || data.length % (4 * classes) !== 0) continue;
    const values = new Float32Array(new Uint8Array(data).buffer);
    const largest = predictedClasses({ first, classes, values });
    const others = stored
      .all(round, first, first + largest.length)
      .filter(({ image, predicted }) => predicted !== largest[image - first]);
    const [one] = others;
    if (one !== undefined)
      faults.push({
        where: 'predictions',
        what: `round ${round}: of ${others.length} images, such as image ${one.image}, the class is not that of the largest logit`,
      });
  }
  return faults;
}

function namesOfTables(database: Database): unknown[] {
  return database.prepare("select name from sqlite_master where type = 'table'").pluck().all();
}

function copyTable(source: Database, copy: Database, table: keyof Tables): RecoveredTable {
  const known = columnsOf(copy, table);
  const columns = columnsOf(source, table).filter((column) => known.includes(column));
  const list = columns.map((column) => `"${column}"`).join(', ');
  const insert = copy.prepare(
    `insert or ignore into "${table}" (${list}) values (${columns.map(() => '?').join(', ')})`,
  );
  const seen = new Set<number>();
  const count = { copied: 0, leftOut: 0 };
  const take = ({ row_id: id, ...row }: { row_id: number }): void => {
    if (seen.has(id)) return;
    seen.add(id);
    if (contentFault(table, row) !== undefined || !inserted(insert, Object.values(row))) count.leftOut++;
    else count.copied++;
  };
  // From both ends: what lies behind a page that cannot be read is reached from behind.
  const whole = ['asc', 'desc'].map((order) =>
    copy.transaction(() =>
      readUntilDamaged(
        source,
        `select rowid as row_id, ${list} from "${table}" order by rowid ${order}`,
        take,
      ),
    )(),
  );
  return { table, ...count, cut: !whole.includes(true) };
}

/** @returns whether all was read */
function readUntilDamaged(source: Database, query: string, take: (row: { row_id: number }) => void): boolean {
  try {
    for (const row of source.prepare(query).iterate()) take(row as { row_id: number });
    return true;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CORRUPT')) return false;
    throw error;
  }
}

/** A row whose parent was lost, or that is there already, cannot be kept. */
function inserted(insert: Statement, values: unknown[]): boolean {
  try {
    return insert.run(...values).changes === 1;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')) return false;
    throw error;
  }
}

function columnsOf(database: Database, table: string): string[] {
  return database.prepare('select name from pragma_table_info(?)').pluck().all(table) as string[];
}
