import { DeviceError } from '../../base/errors.js';
import { installedVersion } from '../../base/paths.js';
import type { Environment } from '../../protocol/environment.js';
import { THIS_MACHINE, type Device } from '../device.js';
import { gitState } from '../git.js';
import type { SshProfile } from './profile.js';
import { openSsh } from './device.js';

/**
 * Reaches a board over SSH. One that cannot be reached or used fails its measurements with the reason; the device itself can be
 * opened, so that a run goes on with the others.
 *
 * @param profile - how
 */
export async function openBoard(profile: SshProfile): Promise<Device> {
  try {
    return await openSsh(profile);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return absent(profile, error);
  }
}

async function absent(profile: SshProfile, fault: DeviceError): Promise<Device> {
  return {
    profile,
    host: profile.emulated ? THIS_MACHINE : `ssh ${profile.host}`,
    environment: await unknownEnvironment(profile.emulated),
    fault: fault.message,
    target: 'cpu',
    session: { ...profile.session, threads: typeof profile.threads === 'number' ? profile.threads : 1 },
    measure: () => Promise.reject(fault),
    close: () => Promise.resolve(),
  };
}

/** What is recorded of a board that nothing was measured on. */
async function unknownEnvironment(emulated: boolean): Promise<Environment> {
  const unknown = 'unknown: the board could not be used';
  return {
    cpu: {
      model: unknown,
      features: [],
      physicalCores: null,
      logicalCores: null,
      governor: null,
      maxFrequency: null,
    },
    memoryBytes: null,
    virtual: emulated,
    os: { platform: unknown, distribution: unknown, release: unknown, kernel: unknown, arch: unknown },
    node: unknown,
    versions: { edgeflex: installedVersion() },
    git: await gitState(),
  };
}
