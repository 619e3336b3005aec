import type { Kysely } from 'kysely';
import { hashJson } from '../base/hash.js';

/** What of a run of an older version never changes. */
const lasting = [
  ...(['id', 'suite', 'plan_hash', 'seed', 'command', 'version', 'started_at', 'data_json'] as const),
] as const;

/**
 * Gives the runs that have none, since an older version recorded them, a global id: of what never changes in them, so that copies of a
 * run in several databases get the same.
 *
 * @param db - open for writing
 */
export async function giveGlobalIds<T>(db: Kysely<T>): Promise<void> {
  const runs = db as unknown as Kysely<{
    runs: Record<(typeof lasting)[number], string> & { uid: string | null };
  }>;
  const nameless = await runs.selectFrom('runs').select(lasting).where('uid', 'is', null).execute();
  for (const run of nameless) {
    const digest = hashJson(lasting.map((column) => run[column]));
    await runs
      .updateTable('runs')
      .set({ uid: digest.slice(0, 32) })
      .where('id', '=', run.id)
      .execute();
  }
}
