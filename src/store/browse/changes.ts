import type { Db } from '../open.js';

/** So many runs that have not ended are watched, the newest: those that were interrupted long ago do not change. */
const MOST_WATCHED = 50;

/**
 * Runs that may change, or have just ended: their ids in this store.
 *
 * @param db - the store
 * @param since - a moment, ISO 8601 in UTC: what ended then or later is among them
 */
export async function changingRuns(db: Db, since: string): Promise<string[]> {
  const open = await db
    .selectFrom('runs')
    .select('id')
    .where('ended_at', 'is', null)
    .orderBy('started_at', 'desc')
    .limit(MOST_WATCHED)
    .execute();
  const ended = await db
    .selectFrom('runs')
    .select('id')
    .where('ended_at', '>=', since)
    .orderBy('ended_at', 'desc')
    .limit(MOST_WATCHED)
    .execute();
  return [...new Set([...open, ...ended].map(({ id }) => id))];
}

/**
 * Which runs there are, by their number and the newest: other runs, another text.
 *
 * @param db - the store
 */
export async function whichRuns(db: Db): Promise<string> {
  const { count, newest } = await db
    .selectFrom('runs')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max<string | null>('started_at').as('newest')])
    .executeTakeFirstOrThrow();
  return `${count} ${newest ?? ''}`;
}

/**
 * Which runs have ended, by their number and the last: other runs, another text.
 *
 * @param db - the store
 */
export async function whichEnded(db: Db): Promise<string> {
  const { count, last } = await db
    .selectFrom('runs')
    .select(({ fn }) => [
      fn.count<number>('ended_at').as('count'),
      fn.max<string | null>('ended_at').as('last'),
    ])
    .executeTakeFirstOrThrow();
  return `${count} ${last ?? ''}`;
}

/**
 * What the analysis of an ended run follows from beside the run itself: changes when a calibration or a roofline is added or goes.
 *
 * @param db - the store
 */
export async function surroundings(db: Db): Promise<string> {
  const mark = async (table: 'floors' | 'rooflines'): Promise<string> => {
    const row = await db
      .selectFrom(table)
      .select(({ fn }) => [
        fn.countAll<number>().as('count'),
        fn.max<string | null>('measured_at').as('newest'),
      ])
      .executeTakeFirstOrThrow();
    return `${row.count} ${row.newest ?? ''}`;
  };
  return `${await mark('floors')} ${await mark('rooflines')}`;
}
