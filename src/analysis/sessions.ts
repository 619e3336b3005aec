import { z } from 'zod';
import type { StoredDevice, StoredRun } from '../store/read.js';

const runtimeSchema = z.object({ name: z.string(), version: z.string(), provider: z.string() });
const sessionSchema = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));
const profileSchema = z.object({
  kind: z.string(),
  description: z.string().default(''),
  emulated: z.boolean().default(false),
});

/** How agents of a run ran models. */
export interface SessionFacts {
  /** Name, version and execution provider. */
  readonly runtime: z.infer<typeof runtimeSchema>;
  /** Options that the sessions were opened with. */
  readonly session: z.infer<typeof sessionSchema>;
  readonly platform: string;
}

/**
 * The distinct ways in which the agents of a device ran models: one, unless something changed during the run.
 *
 * @param device - of the run
 * @param run - the run
 */
export function sessionsOf(device: StoredDevice, run: StoredRun): SessionFacts[] {
  const distinct = new Map<string, SessionFacts>();
  for (const cell of run.cells) {
    if (cell.device !== device) continue;
    for (const { row } of cell.rounds) {
      const { runtime_json: runtime, session_json: session, platform } = row;
      if (runtime === null || session === null) continue;
      const facts = {
        runtime: runtimeSchema.safeParse(JSON.parse(runtime)).data,
        session: sessionSchema.safeParse(JSON.parse(session)).data,
        platform: platform ?? '',
      };
      if (facts.runtime && facts.session)
        distinct.set(JSON.stringify(facts), { ...facts, runtime: facts.runtime, session: facts.session });
    }
  }
  return [...distinct.values()];
}

/**
 * A device's profile with all that its file said.
 *
 * @param device - of a run
 */
export function storedProfileOf({ row }: StoredDevice): unknown {
  return JSON.parse(row.profile_json);
}

/**
 * What a device's profile says in words, and how the device is reached.
 *
 * @param device - of a run
 */
export function profileOf(device: StoredDevice): z.infer<typeof profileSchema> {
  const profile = profileSchema.safeParse(storedProfileOf(device)).data;
  return profile ?? { kind: 'unknown', description: '', emulated: false };
}
