import { contentFault } from './content.js';
import { RECOVER, StoreError } from './error.js';
import type { Db } from './open.js';
import type { Tables } from './tables.js';

const locations = new WeakMap<object, string>();

/** Takes note where a store lies, for messages about what is in it. */
export function locate(db: Db, path: string): Db {
  locations.set(db, path);
  return db;
}

/**
 * Rows as they were read, once nothing is found in them that EdgeFlex would not have stored.
 *
 * @param db - where they come from
 * @param table - of the rows
 * @param rows - whole, or some of their columns
 * @param owner - what they belong to, where they have no id of their own: `round 7`
 * @throws StoreError that names the file, the table, the row and the column
 */
export function checkedRows<Row extends object>(
  db: Db,
  table: keyof Tables,
  rows: readonly Row[],
  owner?: string,
): readonly Row[] {
  for (const [index, row] of rows.entries()) {
    const fault = contentFault(table, row);
    if (fault === undefined) continue;
    const name = 'id' in row ? `id ${String(row.id)}` : [owner, `row ${index}`].filter(Boolean).join(', ');
    throw damagedRow(db, table, `${name}: ${fault.column}`, fault.found, fault.expected);
  }
  return rows;
}

/**
 * The error for something in a row that EdgeFlex would not have stored.
 *
 * @param db - the store
 * @param table - of the row
 * @param place - the row, and its column
 * @param found - what stands there
 * @param expected - what should
 */
export function damagedRow(
  db: Db,
  table: keyof Tables,
  place: string,
  found: string,
  expected: string,
): StoreError {
  const source = locations.get(db) ?? 'the results database';
  return new StoreError('damaged', {
    ...{ source, place: `table ${table}, ${place}` },
    ...{ found, expected, hint: RECOVER },
  });
}
