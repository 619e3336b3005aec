import { z } from 'zod';
import { Job } from '../base/job.js';
import { MAX_ROUNDS } from '../base/limits.js';
import { pathOf } from '../base/named.js';
import { calibrationSuite } from '../run/calibration-suite.js';
import { knownImages } from '../run/locate-data.js';
import type { RunEvent } from '../run/events.js';
import { insertFloors, type StoredFloor } from '../store/floors.js';
import { findRun, loadRun, type RunSummary } from '../store/read.js';
import { batchesSchema, tierSchema, type Tier } from '../suite/schema.js';
import { floorsOf } from '../text/calibration.js';
import type { ImagesEvent } from './images.js';
import { orUndelivered } from './deliver.js';
import { checkedOptions, fields, type Stoppable } from './options.js';
import { refuseServer, withResults, type Results } from './results.js';
import { isPassing, runSuite } from './run.js';
import { copyRuns } from './transfer.js';

/** How a device is calibrated. */
export interface CalibrateOptions extends Stoppable {
  /** What to measure with; left out, a ViT-Tiny at 64 pixels with weights from a seed. */
  readonly model?: string | undefined;
  /** The images that feed it; `shapes10` if left out. */
  readonly dataset?: string | undefined;
  /** Where those images lie. */
  readonly data?: string | undefined;
  /** Batch sizes; 1 and 8 if left out. */
  readonly batches?: readonly number[] | undefined;
  /** How long each is measured; `quick` if left out. */
  readonly tier?: Tier | undefined;
  /** Fresh processes of each; 20 if left out, at least 8. */
  readonly rounds?: number | undefined;
  /** The address of a PostgreSQL database that gets the run and the noise that was found, too; as of `run`. */
  readonly db?: string | undefined;
  /** How it came about, for the run's record; left out, the arguments of this process. */
  readonly command?: string | undefined;
}

const optionsSchema = z.strictObject({
  signal: fields.signal,
  data: fields.data,
  model: z.string().optional(),
  dataset: z.string().default('shapes10'),
  batches: batchesSchema.min(1).default([1, 8]),
  tier: tierSchema.default('quick'),
  rounds: z.number().int().min(8).max(MAX_ROUNDS).default(20),
  db: z.string().optional(),
  command: z.string().optional(),
});

/** What a calibration found out. */
export interface Calibration {
  /** The run that it was measured in. */
  readonly run: RunSummary;
  /** The noise of each figure, which was stored. */
  readonly floors: readonly StoredFloor[];
  /** A sentence for each figure whose noise could not be told. */
  readonly gaps: readonly string[];
}

/**
 * Measures a device's noise: one model against itself, interleaved, in fresh processes. From then on only differences that are at
 * least the minimum detectable effect are reported for the device as it is now.
 *
 * @param results - open for writing, or their folder
 * @param device - a profile's file, or the name of a built-in one
 * @param options - with what, how long
 * @returns a job that gives what was stored, and tells how far it is
 * @throws what `run` throws
 *
 * @example
 * ```ts
 * const { floors } = await calibrate('results', 'local-cpu');
 * ```
 */
export function calibrate(
  results: Results | string,
  device: string,
  options: CalibrateOptions = {},
): Job<RunEvent | ImagesEvent, Calibration> {
  return new Job((emit) => calibrated(results, device, options, emit), isPassing);
}

async function calibrated(
  results: Results | string,
  device: string,
  options: CalibrateOptions,
  emit: (event: RunEvent | ImagesEvent) => void,
): Promise<Calibration> {
  const asked = checkedOptions('calibrate', options, optionsSchema);
  const { dataset, batches, tier, rounds, model } = asked;
  const suite = await calibrationSuite(pathOf('device', device), {
    ...{ model, batches, tier, rounds },
    data: knownImages(dataset),
  });
  refuseServer(results);
  return withResults(results, {}, async (opened) => {
    const run = await runSuite(opened, suite, asked, emit);
    const { floors, gaps } = floorsOf(await loadRun(opened.db, await findRun(opened.db, run.id)));
    await insertFloors(opened.db, floors);
    const { db: shared } = asked;
    // The run is there already, or its end has said that it is not; what was found goes the same way.
    if (shared !== undefined)
      await orUndelivered(shared, emit, () => copyRuns(opened, shared, { runs: [run.id] }));
    return { run, floors, gaps };
  });
}
