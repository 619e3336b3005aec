import { z } from 'zod';
import { Job } from '../base/job.js';
import { MAX_BATCH, MAX_ROUNDS } from '../base/limits.js';
import { pathOf } from '../base/named.js';
import { checkedAddress } from '../base/server-address.js';
import { openDevice } from '../device/open.js';
import { readDeviceProfile } from '../device/profile.js';
import { measureRoofline } from '../run/roofline/measure.js';
import { subjectsOf } from '../run/roofline/subjects.js';
import { openStore } from '../store/open.js';
import { insertRoofline, type CeilingSubject, type StoredRoofline } from '../store/rooflines.js';
import { transferRooflines } from '../store/transfer/transfer.js';
import { orUndelivered, type Undelivered } from './deliver.js';
import { checkedOptions, fields, signalOf, type Stoppable } from './options.js';
import { refuseServer, withResults, type Results } from './results.js';

/** How a roofline is measured. */
export interface RooflineOptions extends Stoppable {
  /** Images in the batch whose products are measured; 8 if left out. */
  readonly batch?: number | undefined;
  /** Fresh processes of each; 3 if left out, at least 2. */
  readonly rounds?: number | undefined;
  /** The address of a PostgreSQL database that gets what was measured, besides the folder. */
  readonly db?: string | undefined;
}

const optionsSchema = z.strictObject({
  signal: fields.signal,
  batch: z.number().int().positive().max(MAX_BATCH).default(8),
  rounds: z.number().int().min(2).max(MAX_ROUNDS).default(3),
  db: z.string().optional(),
});

/** How far a roofline is, or that it is stored here, and the shared database could not be reached in the end. */
export type RooflineEvent = RooflineProgress | Undelivered;

/** How far a roofline is. */
export interface RooflineProgress {
  readonly kind: 'measuring';
  /** From 0 to 1. */
  readonly done: number;
  /** What is measured now. */
  readonly subject: CeilingSubject;
  /** As far as it can be said. */
  readonly secondsLeft: number | undefined;
}

/** Order in which subjects are measured: the same one each time, so that two rooflines can be compared. */
const SEED = 1;

/** Before this share is done nobody can say how long the rest takes. */
const FORESEEABLE = 0.05;

/**
 * Measures what a device can do at best: matrix products in every precision, and sums of tensors. It is stored for the device as
 * it is now, and reports then say which share of it each variant reaches.
 *
 * @param results - open for writing, or their folder
 * @param device - a profile's file, or the name of a built-in one
 * @param options - the batch size, how often
 * @returns a job that gives what was stored, and tells how far it is
 * @throws InputError when the profile or an option cannot be used; DeviceError when nothing could be measured; the signal's reason
 *   when it fires, whereupon nothing is kept
 *
 * @example
 * ```ts
 * const { ceilings } = await roofline('results', 'local-cpu');
 * ```
 */
export function roofline(
  results: Results | string,
  device: string,
  options: RooflineOptions = {},
): Job<RooflineEvent, StoredRoofline> {
  return new Job(
    (emit) => measured(results, device, options, emit),
    ({ kind }) => kind === 'measuring',
  );
}

async function measured(
  results: Results | string,
  reference: string,
  options: RooflineOptions,
  emit: (event: RooflineEvent) => void,
): Promise<StoredRoofline> {
  const asked = checkedOptions('roofline', options, optionsSchema);
  const profile = await readDeviceProfile(pathOf('device', reference));
  const started = performance.now();
  refuseServer(results);
  const { db: shared } = asked;
  // What is wrong with it is known before anything is measured.
  if (shared !== undefined) await (await openStore(checkedAddress(shared, '--db'))).destroy();
  return withResults(results, {}, async ({ db }) => {
    const device = await openDevice(profile);
    try {
      const stored = await measureRoofline(device, {
        subjects: subjectsOf(asked.batch, device.environment.memoryBytes),
        ...{ rounds: asked.rounds, seed: SEED, signal: signalOf(asked) },
        onProgress: (done, subject) => {
          const elapsed = (performance.now() - started) / 1000;
          const secondsLeft = done > FORESEEABLE ? (elapsed / done) * (1 - done) : undefined;
          emit({ kind: 'measuring', done, subject, secondsLeft });
        },
      });
      await insertRoofline(db, stored);
      if (shared !== undefined)
        await orUndelivered(shared, emit, async () => {
          const there = await openStore(shared);
          await transferRooflines(db, there, new Set([stored.device])).finally(() => there.destroy());
        });
      return stored;
    } finally {
      await device.close();
    }
  });
}
