import { z } from 'zod';
import { hashJson } from '../base/hash.js';
import { environmentSchema, type Environment } from '../protocol/environment.js';
import { checkedRows } from './checked.js';
import { environmentHash } from './environment-hash.js';
import { precisions, productShapeSchema } from './node-work.js';
import type { Db } from './open.js';
import type { StoredCell, StoredDevice } from './read.js';

const runtimeSchema = z.object({ name: z.string(), version: z.string(), provider: z.string() });
const sessionSchema = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));

/** What was measured: a matrix product in a precision, or a stream of so many bytes. */
const subjectSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('product'),
    precision: z.enum(precisions),
    shape: productShapeSchema,
  }),
  /** The sum of two tensors; read and written are so many bytes. */
  z.strictObject({ kind: z.literal('stream'), bytes: z.number().int().positive() }),
]);

export type CeilingSubject = z.infer<typeof subjectSchema>;

const ceilingSchema = z.strictObject({
  subject: subjectSchema,
  /** Milliseconds of each execution, by round; none when it could not be measured. */
  rounds: z.array(z.array(z.number().nonnegative())),
  /** Why it could not be measured: the device has no kernels for it, or failed; null when it was. */
  failure: z.strictObject({ status: z.enum(['unsupported', 'failed']), reason: z.string() }).nullable(),
});

/** All that was measured of a device. */
export const ceilingsSchema = z.array(ceilingSchema);

/** What was measured of one product or stream. */
export type StoredCeiling = z.infer<typeof ceilingSchema>;

export const settingSchema = z.strictObject({
  environment: environmentSchema,
  threads: z.number().int().positive(),
  runtime: runtimeSchema,
  session: sessionSchema,
});

/** Where and how a roofline was measured. */
export type RooflineSetting = z.infer<typeof settingSchema>;

/** What a device can do at best, with the raw times that say so. */
export interface StoredRoofline {
  /** The device's name. */
  readonly device: string;
  /** ISO 8601, UTC. */
  readonly measuredAt: string;
  /** EdgeFlex's. */
  readonly version: string;
  readonly setting: RooflineSetting;
  readonly ceilings: readonly StoredCeiling[];
}

/**
 * Hash of what must be the same for a roofline to hold: processor, adapter, browser, threads, runtime and session options.
 *
 * @param setting - of the roofline, or of the device that it is to hold for
 */
export function rooflineEnvironment({ environment, threads, runtime, session }: RooflineSetting): string {
  const { gpu, browser } = environment;
  return hashJson({
    processor: environmentHash(environment, threads, runtime, session),
    adapter: gpu && [gpu.vendor, gpu.architecture, gpu.device, gpu.description],
    browser: browser?.product,
  });
}

/**
 * The setting of a device in a run, to be compared with that of rooflines.
 *
 * @param device - of the run
 * @param cells - of the run
 * @returns undefined where no agent of the device got so far as to name its runtime
 */
export function settingOf(device: StoredDevice, cells: readonly StoredCell[]): RooflineSetting | undefined {
  for (const { device: owner, rounds } of cells) {
    if (owner !== device) continue;
    for (const { row } of rounds) {
      if (row.runtime_json === null || row.session_json === null) continue;
      const runtime = runtimeSchema.safeParse(JSON.parse(row.runtime_json)).data;
      const session = sessionSchema.safeParse(JSON.parse(row.session_json)).data;
      const environment: Environment = device.environment;
      if (runtime && session) return { environment, threads: device.row.threads, runtime, session };
    }
  }
  return undefined;
}

/** Stores a roofline. */
export async function insertRoofline(db: Db, roofline: StoredRoofline): Promise<void> {
  const { device, measuredAt, version, setting, ceilings } = roofline;
  await db
    .insertInto('rooflines')
    .values({
      ...{ device, measured_at: measuredAt, version, environment_hash: rooflineEnvironment(setting) },
      setting_json: JSON.stringify(setting),
      ceilings_json: JSON.stringify(ceilings),
    })
    .execute();
}

/** All rooflines, the newest first. */
export async function listRooflines(db: Db): Promise<StoredRoofline[]> {
  const rows = await db
    .selectFrom('rooflines')
    .selectAll()
    .orderBy('measured_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return checkedRows(db, 'rooflines', rows).map(
    ({ device, measured_at, version, setting_json, ceilings_json }) => ({
      ...{ device, measuredAt: measured_at, version },
      setting: settingSchema.parse(JSON.parse(setting_json)),
      ceilings: ceilingsSchema.parse(JSON.parse(ceilings_json)),
    }),
  );
}
