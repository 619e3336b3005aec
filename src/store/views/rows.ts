import { sql } from 'kysely';
import type { Db } from '../open.js';
import type { View } from './view.js';

/** What rows are in order by, as far as a view has it. */
const ORDER = ['started_at', 'run_id', 'cell_id', 'round', 'query', 'image'];

/**
 * The rows of a view in order.
 *
 * @param db - the store
 * @param view - which; it has `run_id`
 * @param runs - ids of the runs whose rows they are
 */
export async function rowsOfView(
  db: Db,
  { name, columns }: View,
  runs: readonly string[],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const order = ORDER.filter((each) => each in columns).map((each) => sql.ref(each));
  const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(name)}
    where run_id in (${sql.join(runs)}) order by ${sql.join(order)}`.execute(db);
  return rows;
}
