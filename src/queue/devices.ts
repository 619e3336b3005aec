import { DeviceError } from '../base/errors.js';
import { deviceClass } from '../device/class.js';
import { THIS_MACHINE } from '../device/device.js';
import { openDevice } from '../device/open.js';
import type { DeviceProfile } from '../device/kind.js';
import { readDeviceProfile } from '../device/profile.js';
import { kindOf } from '../device/registry.js';
import type { Environment } from '../protocol/environment.js';
import { compressJob, measureJob } from './execute.js';
import type { OfferedDevice } from './jobs.js';
import { labelsOf } from './labels.js';
import type { WorkerDevice } from './worker.js';

/**
 * A device of a worker.
 *
 * @param path - of its profile
 * @param host - the worker's machine
 * @throws InputError when it is no profile
 */
export async function measuringDevice(path: string, host: string): Promise<WorkerDevice> {
  const profile = await readDeviceProfile(path);
  return {
    ...{ queue: 'measure', name: profile.name, profile: path, execute: measureJob },
    describe: () => offeredDevice(profile, host),
  };
}

/**
 * The processor of a worker's machine, for compressing: not while something is measured on it.
 *
 * @param host - the worker's machine
 */
export function compressingDevice(host: string): WorkerDevice {
  const name = `compress@${host}`;
  return {
    ...{ queue: 'compress', name, profile: undefined, execute: compressJob },
    describe: () => Promise.resolve({ name, profile: 'compress', host, class: '', labels: {} }),
  };
}

async function offeredDevice(profile: DeviceProfile, host: string): Promise<OfferedDevice> {
  const { environment, machine } = await seen(profile);
  const isHere = machine === THIS_MACHINE;
  return {
    // Every machine has a local-cpu.
    name: isHere ? `${profile.name}@${host}` : profile.name,
    profile: profile.name,
    host: isHere ? host : machine,
    class: deviceClass(profile, environment),
    labels: labelsOf(profile, environment),
  };
}

/** @throws DeviceError when it cannot be reached, or would measure nothing */
async function seen(
  profile: DeviceProfile,
): Promise<{ readonly environment: Environment; readonly machine: string }> {
  const kind = kindOf(profile);
  if (kind.describe !== undefined)
    return {
      environment: await kind.describe(profile),
      machine: (await kind.host?.(profile)) ?? THIS_MACHINE,
    };
  const device = await openDevice(profile);
  await device.close();
  if (device.fault !== undefined) throw new DeviceError(device.fault);
  return { environment: device.environment, machine: device.host };
}
