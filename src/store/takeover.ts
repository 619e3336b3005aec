import { z } from 'zod';
import type { Db } from './open.js';

/** What went on in the place of devices of a run. */
export const takeoversSchema = z.array(
  z.strictObject({ device: z.string(), since: z.string(), rounds: z.number().int().positive() }),
);

/** An identical device that went on with what another one had begun: its name, since when, and how many rounds there were by then. */
export type Takeover = z.infer<typeof takeoversSchema>[number];

/**
 * Records that an identical device goes on in the place of one of a run.
 *
 * @param db - the run's store
 * @param deviceId - of the one that began
 * @param takeover - who goes on; twice in a row is once
 */
export async function recordTakeover(db: Db, deviceId: number, takeover: Takeover): Promise<void> {
  const { takeovers_json: stored } = await db
    .selectFrom('devices')
    .select('takeovers_json')
    .where('id', '=', deviceId)
    .executeTakeFirstOrThrow();
  const before = takeoversOf(stored);
  if (before.at(-1)?.device === takeover.device) return;
  await db
    .updateTable('devices')
    .set({ takeovers_json: JSON.stringify([...before, takeover]) })
    .where('id', '=', deviceId)
    .execute();
}

/** Take-overs as they are stored; null is none. */
export function takeoversOf(stored: string | null): readonly Takeover[] {
  return stored === null ? [] : takeoversSchema.parse(JSON.parse(stored));
}
