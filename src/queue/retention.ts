import type { Connection } from './connection.js';
import { SCHEMA } from './schema.js';

/** So long the queue remembers what has ended. Results have a retention of their own. */
const KEPT = `interval '90 days'`;

/** Submissions that are forgotten at a time: nobody is to wait for it. */
const MOST_AT_ONCE = 500;

/**
 * Forgets submissions of which everything ended long ago, with their jobs and who worked on them, and workers that ended then.
 *
 * @param connection - to the queue
 */
export async function forgetEnded(connection: Connection): Promise<void> {
  await connection.query(
    `delete from ${SCHEMA}.submission where run in (
       select s.run from ${SCHEMA}.submission s
       where s.submitted_at < now() - ${KEPT} and not exists (
         select from ${SCHEMA}.job j where j.run = s.run and (j.ended_at is null or j.ended_at > now() - ${KEPT}))
       order by s.submitted_at limit ${MOST_AT_ONCE} for update skip locked)`,
  );
  await connection.query(`delete from ${SCHEMA}.worker where ended_at < now() - ${KEPT}`);
}
