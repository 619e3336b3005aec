import { sql, type Kysely, type Transaction } from 'kysely';
import { defined } from '../base/defined.js';
import { isOnServer } from './server.js';
import type { Tables } from './tables.js';

/** SQLite takes some thousands of values in a statement, PostgreSQL some ten thousand. */
const ROWS_PER_INSERT = 1000;

/** Tables whose rows belong to a round. */
export const roundTables = [
  ...(['phases', 'memory', 'conditions', 'samples', 'trials', 'served', 'predictions'] as const),
  ...(['logits', 'embeddings', 'cosines', 'kernels', 'kernel_nodes'] as const),
] as const;

/** A table whose rows belong to a round. */
export type RoundTable = (typeof roundTables)[number];

/** How rows become arrays: by the number that says their place, one array for each column, one row for each of `of`. */
interface Packing {
  readonly place: string;
  readonly columns: readonly string[];
  readonly of?: string;
}

const packings: Partial<Record<RoundTable, Packing>> = {
  samples: { place: 'query', columns: ['milliseconds'] },
  served: { place: 'query', columns: ['scheduled', 'started', 'ended'], of: 'trial' },
  predictions: { place: 'image', columns: ['label', 'predicted'] },
  cosines: { place: 'image', columns: ['cosine'] },
};

type Row = Readonly<Record<string, unknown>>;

/**
 * Sees to it that raw data of some moments can be stored: on a server it lies in partitions by month. Call it before anything else in a
 * transaction that stores rounds, so that no two wait for each other.
 *
 * @param transaction - in which it is going to be stored
 * @param startedAt - when the rounds began, ISO 8601
 */
export async function prepareMonths(
  transaction: Transaction<Tables>,
  startedAt: readonly string[],
): Promise<void> {
  if (!isOnServer(transaction)) return;
  for (const month of new Set(startedAt.map(monthOf)))
    await sql`select make_month(${month}::date)`.execute(transaction);
}

/** Rows of one table that belong to a round. */
export interface RoundRows {
  readonly id: number;
  /** When the round began, ISO 8601. */
  readonly startedAt: string;
  /** Without the round's id. */
  readonly rows: readonly object[];
}

/**
 * Stores rows that belong to rounds.
 *
 * @param transaction - in which the rounds were stored
 * @param table - of the rows
 * @param rounds - and the rows of each
 */
export async function insertRows(
  transaction: Transaction<Tables>,
  table: RoundTable,
  rounds: readonly RoundRows[],
): Promise<void> {
  if (!isOnServer(transaction) || !isRaw(table))
    return insertAll(
      transaction,
      table,
      rounds.flatMap(({ id, rows }) => rows.map((row) => ({ round_id: id, ...row }))),
    );
  const packing = packings[table];
  return insertAll(
    transaction,
    `raw_${table}`,
    rounds.flatMap(({ id, startedAt, rows }) => {
      const plain = rows as readonly Row[];
      const whole = packing === undefined ? plain : packed(plain, packing);
      return whole.map((row) => ({ round_id: id, month: monthOf(startedAt), ...row }));
    }),
  );
}

async function insertAll(
  transaction: Transaction<Tables>,
  table: string,
  rows: readonly Row[],
): Promise<void> {
  // The tables behind the views are PostgreSQL's alone: they have no types.
  const untyped = transaction as unknown as Kysely<Record<string, Row>>;
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT)
    await untyped
      .insertInto(table)
      .values(rows.slice(at, at + ROWS_PER_INSERT))
      .execute();
}

/** Whether a table's rows lie in partitions on a server. */
function isRaw(table: RoundTable): boolean {
  return table in packings || table === 'logits' || table === 'embeddings';
}

/** Rows as arrays: the row of place 3 is their fourth element; places that no row has are null. */
function packed(rows: readonly Row[], { place, columns, of }: Packing): Row[] {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) {
    const group = of === undefined ? undefined : row[of];
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [row]);
    else known.push(row);
  }
  return [...groups].map(([group, own]) => {
    const length = own.reduce((most, row) => Math.max(most, Number(row[place]) + 1), 0);
    const arrays = new Map(columns.map((column) => [column, new Array<unknown>(length).fill(null)]));
    for (const row of own)
      for (const [column, array] of arrays) array[Number(row[place])] = defined(row[column], column);
    return { ...(of !== undefined && { [of]: group }), ...Object.fromEntries(arrays) };
  });
}

/** The first day of the month of a moment, in UTC. */
function monthOf(moment: string): string {
  return `${new Date(moment).toISOString().slice(0, 7)}-01`;
}
