import { RATE_RESOLUTION } from '../../stats/rate-search.js';
import { detectableApart, detectableInTurn } from '../../stats/noise.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import { floorEnvironment, floorMetrics, type StoredFloor } from '../../store/floors.js';
import type { Metric } from '../../base/metric.js';

/**
 * What counts as a change where nobody measured what a device can tell, as a share: on quiet machines runs that lie apart differ by so
 * much in latency, and by half of it in memory.
 */
const DEFAULT_FLOORS: Partial<Record<Metric, number>> = {
  ...{ latency: 0.02, p90: 0.02, memory: 0.01, throughput: 0.02 },
  // A search does not know the highest rate any better.
  rate: RATE_RESOLUTION,
};

/** Says the smallest change that counts, as a share; undefined where any does. */
export type FloorOf = (
  cell: StoredCell,
  metric: Metric,
  rounds: number,
  interleaved: boolean,
) => number | undefined;

/** The p90 of a latency, and how many queries of it fit into a second, are judged by what is known of the latency. */
const KNOWN_BY: Partial<Record<Metric, (typeof floorMetrics)[number]>> = {
  latency: 'latency',
  p90: 'latency',
  memory: 'memory',
  throughput: 'latency',
};

/**
 * The noise floors that hold for a run: of its devices as they were then, the newest of each, and where nobody measured one the
 * default.
 *
 * @param run - the run whose cells are judged
 * @param floors - all that are stored, the newest first
 */
export function floorsFor(run: StoredRun, floors: readonly StoredFloor[]): FloorOf {
  const calibrated = calibratedFloors(run, floors);
  return (cell, metric, ...rest) => calibrated(cell, metric, ...rest) ?? DEFAULT_FLOORS[metric];
}

/**
 * The noise floors that were measured on the devices of a run, as they were then: the newest of each.
 *
 * @param run - the run whose cells are judged
 * @param floors - all that are stored, the newest first
 */
function calibratedFloors(run: StoredRun, floors: readonly StoredFloor[]): FloorOf {
  const environments = new Map(run.devices.map((device) => [device, floorEnvironment(device, run.cells)]));
  return ({ device, row: { batch } }, metric, rounds, interleaved) => {
    const known = floors.find(
      (floor) =>
        floor.device === device.row.name &&
        floor.environment === environments.get(device) &&
        floor.batch === batch &&
        floor.metric === KNOWN_BY[metric],
    );
    if (known === undefined || rounds < 2) return undefined;
    return interleaved ? detectableInTurn(known.noise, rounds) : detectableApart(known.noise, rounds);
  };
}

/** Latencies are judged on a device at batch sizes at which nobody measured its noise: by the default. */
export interface MissingFloor {
  readonly kind: 'no-noise-floor';
  readonly device: string;
  readonly batches: readonly number[];
  /** The default for latencies, as a share. */
  readonly floor: number;
}

/**
 * Where latencies are judged on a device whose noise nobody measured.
 *
 * @param run - the run whose cells are judged
 * @param floors - all that are stored, the newest first
 * @param isInterleaved - whether rounds of one number belong together on a device, by its name
 * @returns one for each device
 */
export function missingFloors(
  run: StoredRun,
  floors: readonly StoredFloor[],
  isInterleaved: (device: string) => boolean,
): MissingFloor[] {
  const calibrated = calibratedFloors(run, floors);
  return run.devices.flatMap((device) => {
    const timed = run.cells.filter(
      (cell) => cell.device === device && cell.row.kind === 'performance' && cell.row.status === 'done',
    );
    const interleaved = isInterleaved(device.row.name);
    const without = timed.filter((cell) => calibrated(cell, 'latency', 2, interleaved) === undefined);
    const batches = [...new Set(without.map(({ row }) => row.batch))].sort((a, b) => a - b);
    return batches.length === 0
      ? []
      : [{ kind: 'no-noise-floor', device: device.row.name, batches, floor: DEFAULT_FLOORS.latency ?? 0 }];
  });
}
