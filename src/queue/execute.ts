import { DeviceError, InputError, messageOf } from '../base/errors.js';
import type { PluginRecord } from '../base/plugin.js';
import { openDevice } from '../device/open.js';
import { readDeviceProfile } from '../device/profile.js';
import { openImages } from '../library/images.js';
import { loadedPlugins } from '../plugins/load.js';
import { executeSuite, prepareSuite } from '../run/execute.js';
import { hasRun } from '../store/read.js';
import type { TakenJob } from './jobs.js';
import { suiteFrom } from './portable.js';
import type { Spool } from './spool.js';

/** What a job is worked on with. */
export interface Work {
  readonly job: TakenJob;
  /** Where its record goes. */
  readonly spool: Spool;
  /** Name of the device that it is worked on with, which may be another one than it was begun on. */
  readonly device: string;
  /** Profile of the device; undefined for what no device is needed for. */
  readonly profile: string | undefined;
  /** Where images lie, if not where they are looked for. */
  readonly data: string | undefined;
  readonly signal: AbortSignal;
  /** Told after each round that is stored, and each cell that has failed. */
  readonly onRound: () => void;
}

/**
 * Works on a job, as far as it is not done.
 *
 * @returns how many of its cells have failed
 * @throws InputError when it cannot be done on this machine or any other; DeviceError when its device is lost; the signal's reason
 */
export type Execute = (work: Work) => Promise<number>;

/** Measures a job's suite on one device, and goes on where its record ends. */
export const measureJob: Execute = async ({ job, spool, device, profile, data: given, signal, onRound }) => {
  refuseOtherPlugins(job.plugins);
  if (profile === undefined) throw new Error('a job cannot be measured without a device');
  const suite = suiteFrom(job.plan, [profile]);
  const data = await openImages(suite.data, { given, signal, emit: () => undefined });
  const { failedCells } = await executeSuite(suite, {
    ...{
      db: spool.db,
      data,
      signal,
      command: job.command,
      plugins: loadedPlugins(),
      part: { ...job.run, device: job.device, identical: job.identical, on: device },
    },
    resume: (await hasRun(spool.db, job.run.id)) ? job.run.id : false,
    emit: ({ kind }) => {
      if (kind === 'measured') onRound();
    },
  });
  if (failedCells > 0) await refuseLost(profile);
  return failedCells;
};

/** Compresses the variants of a job's suite into this machine's cache. */
export const compressJob: Execute = async ({ job, data: given, signal }) => {
  refuseOtherPlugins(job.plugins);
  const suite = suiteFrom(job.plan, []);
  const data = await openImages(suite.data, { given, signal, emit: () => undefined });
  return prepareSuite(suite, { data, signal, emit: () => undefined });
};

/** Where cells have failed: whether the device is still there. Those of one that is not are tried again when it is. */
async function refuseLost(profile: string): Promise<void> {
  const device = await openDevice(await readDeviceProfile(profile)).catch((error: unknown) => {
    throw new DeviceError(`the device was lost while it was measured: ${messageOf(error)}`);
  });
  await device.close();
  if (device.fault !== undefined)
    throw new DeviceError(`the device was lost while it was measured: ${device.fault}`);
}

function refuseOtherPlugins(wanted: readonly PluginRecord[]): void {
  const loaded = loadedPlugins();
  for (const { name, digest } of wanted) {
    const here = loaded.find((each) => each.name === name);
    if (here?.digest === digest) continue;
    throw new InputError({
      source: `plug-in ${name}`,
      found: here === undefined ? 'none of that name on this worker' : 'another one on this worker',
      expected: 'the one that the suite was submitted with',
      hint: 'Name it in the edgeflex.config.yaml of the folder that the worker is started in.',
    });
  }
}
