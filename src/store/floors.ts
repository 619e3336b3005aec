import { z } from 'zod';
import { checkedRows } from './checked.js';
import { environmentHash } from './environment-hash.js';
import type { Db } from './open.js';
import type { StoredCell, StoredDevice } from './read.js';

const deviation = z.number().nonnegative();

/** The noise of a device as it is stored: standard deviations of natural logarithms, see `Noise` in the room `stats/`. */
export const noiseFloorSchema = z.strictObject({
  pair: deviation,
  round: deviation,
  block: deviation,
  blocks: z.number().int().min(2),
  rounds: z.number().int().min(4),
});

export type NoiseFloor = z.infer<typeof noiseFloorSchema>;

/** In what a device's noise is known. */
export const floorMetrics = ['latency', 'memory'] as const;

export type FloorMetric = (typeof floorMetrics)[number];

/** What a calibration found out about a device at a batch size. */
export interface StoredFloor {
  readonly device: string;
  /** Hash of what must be the same for the floor to hold. */
  readonly environment: string;
  readonly batch: number;
  readonly metric: FloorMetric;
  /** The calibration. */
  readonly runId: string;
  /** ISO 8601, UTC. */
  readonly measuredAt: string;
  readonly noise: NoiseFloor;
}

/**
 * Hash of what must be the same for a noise floor to hold: processor, threads, runtime and session options.
 *
 * @param device - of a run
 * @param cells - of the run
 * @returns undefined where no agent of the device got so far as to name its runtime
 */
export function floorEnvironment(device: StoredDevice, cells: readonly StoredCell[]): string | undefined {
  const agent = cells
    .filter((cell) => cell.device === device && cell.row.kind === 'performance')
    .flatMap(({ rounds }) =>
      rounds.flatMap(({ row: { runtime_json: runtime, session_json: session } }) =>
        runtime === null || session === null ? [] : [{ runtime, session }],
      ),
    )[0];
  if (agent === undefined) return undefined;
  const [runtime, session] = [agent.runtime, agent.session].map((json) => JSON.parse(json) as unknown);
  return environmentHash(device.environment, device.row.threads, runtime, session);
}

/** Stores what a calibration found out. */
export async function insertFloors(db: Db, floors: readonly StoredFloor[]): Promise<void> {
  const rows = floors.map(({ device, environment, batch, metric, runId, measuredAt, noise }) => ({
    ...{ device, environment_hash: environment, batch, metric, run_id: runId, measured_at: measuredAt },
    floor_json: JSON.stringify(noise),
  }));
  if (rows.length > 0) await db.insertInto('floors').values(rows).execute();
}

/** All noise floors, the newest first. */
export async function listFloors(db: Db): Promise<StoredFloor[]> {
  const rows = await db
    .selectFrom('floors')
    .selectAll()
    .orderBy('measured_at', 'desc')
    .orderBy('device')
    .orderBy('batch')
    .orderBy('metric')
    .execute();
  return checkedRows(db, 'floors', rows).map(
    ({ device, environment_hash, batch, metric, run_id, measured_at, floor_json }) => ({
      ...{ device, environment: environment_hash, batch, runId: run_id, measuredAt: measured_at },
      metric: z.enum(floorMetrics).parse(metric),
      noise: noiseFloorSchema.parse(JSON.parse(floor_json)),
    }),
  );
}
