import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, foundBy, InputError, messageOf } from '../base/errors.js';
import { listNamed, pathOf } from '../base/named.js';
import type { Cleaned, DeviceProfile, Finding } from '../device/kind.js';
import { openDevice } from '../device/open.js';
import { readDeviceProfile } from '../device/profile.js';
import { deviceKinds, kindOf } from '../device/registry.js';
import type { Environment } from '../protocol/environment.js';
import { checkInstallation } from '../run/installation.js';
import { adapterText } from '../text/environment.js';

/** A device profile, or why a file is none. */
export type ListedDevice =
  | { readonly path: string; readonly profile: DeviceProfile }
  | { readonly path: string; readonly fault: string };

/** What was looked at on a device. */
export interface DeviceCheck {
  /** The device's name. */
  readonly device: string;
  readonly findings: readonly Finding[];
}

/** What was looked at in one place of this machine. */
export interface MachineCheck {
  /** `EdgeFlex`, or the name of a device that this machine is. */
  readonly place: string;
  readonly findings: readonly Finding[];
}

/** What this machine can do. */
export interface MachineChecks {
  readonly places: readonly MachineCheck[];
  /** Whether EdgeFlex itself works, and this machine's processor as a device. */
  readonly works: boolean;
}

/** What a device is. */
export interface DeviceDescription {
  readonly profile: DeviceProfile;
  /** As a run would record it. */
  readonly environment: Environment;
}

/** What a device had to give back. */
export interface CleanedDevice extends Cleaned {
  /** The device's name. */
  readonly device: string;
}

/** Devices that any machine may be: its processor, and a browser on it. */
const OF_ANY_MACHINE = ['local-cpu', 'browser-wasm', 'browser-webgpu'];

const NO_GPU =
  'Its latencies say nothing about a GPU. If this machine has one, the browser has blocked its driver: chrome://gpu says why.';

/**
 * Device profiles: those of the working folder's `devices/` and those that come with EdgeFlex, or those of a folder.
 *
 * @param folder - only profiles in this one
 * @throws InputError when the folder has none
 */
export async function listDevices(folder?: string): Promise<readonly ListedDevice[]> {
  const paths = folder === undefined ? listNamed('device').map(({ path }) => path) : await profilesIn(folder);
  return Promise.all(
    paths.map(async (path) =>
      readDeviceProfile(path).then(
        (profile) => ({ path, profile }),
        (error: unknown) => ({ path, fault: messageOf(error) }),
      ),
    ),
  );
}

async function profilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new InputError({
      source: folder,
      found: foundBy(error),
      expected: 'a folder of device profiles',
    });
  });
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  if (files.length === 0)
    throw new InputError({
      source: folder,
      found: 'no device profile',
      expected: 'a folder of device profiles (*.yaml)',
    });
  return files.map((file) => join(folder, file));
}

/**
 * Looks at everything that a run on a device depends on, and puts nothing there.
 *
 * @param device - a profile's file, or the name of a built-in one
 * @throws InputError when the profile cannot be used; a device that cannot be reached is a finding
 *
 * @example
 * ```ts
 * const { findings } = await checkDevice('raspberry-pi-5');
 * for (const { what, state, fix } of findings) if (state === 'fail') console.log(what, fix);
 * ```
 */
export async function checkDevice(device: string): Promise<DeviceCheck> {
  const profile = await readDeviceProfile(pathOf('device', device));
  return { device: profile.name, findings: await findingsOf(profile) };
}

/** Looks at what EdgeFlex is made of, and at every device that this machine may be. */
export async function checkMachine(): Promise<MachineChecks> {
  const places: MachineCheck[] = [{ place: 'EdgeFlex', findings: await checkInstallation() }];
  for (const place of OF_ANY_MACHINE) places.push({ place, findings: (await checkDevice(place)).findings });
  // Without a browser most of EdgeFlex works.
  const needed = places.slice(0, 2).flatMap(({ findings }) => findings);
  return { places, works: !needed.some(({ state }) => state === 'fail') };
}

/**
 * What a device is, as a run would record it.
 *
 * @param device - a profile's file, or the name of a built-in one
 * @throws InputError when the profile cannot be used; DeviceError when the device cannot be reached
 */
export async function describeDevice(device: string): Promise<DeviceDescription> {
  const profile = await readDeviceProfile(pathOf('device', device));
  const environment = (await kindOf(profile).describe?.(profile)) ?? (await environmentOf(profile));
  return { profile, environment };
}

/**
 * Removes everything that runs have left on a device.
 *
 * @param device - a profile's file, or the name of a built-in one
 * @throws InputError when the profile cannot be used, or runs leave nothing on devices of its kind; DeviceError when it cannot be reached
 */
export async function cleanDevice(device: string): Promise<CleanedDevice> {
  const profile = await readDeviceProfile(pathOf('device', device));
  const cleaned = await kindOf(profile).clean?.(profile);
  if (cleaned !== undefined) return { device: profile.name, ...cleaned };
  const cleanable = deviceKinds().filter((each) => each.clean !== undefined);
  throw new InputError({
    source: device,
    place: 'kind',
    found: profile.kind,
    expected: `${cleanable.map(({ kind }) => kind).join(' or ')}: runs leave nothing on other devices`,
  });
}

async function findingsOf(profile: DeviceProfile): Promise<readonly Finding[]> {
  return (await kindOf(profile).check?.(profile)) ?? opens(profile);
}

/** Where a kind of device has nothing to look at but whether it opens. */
async function opens(profile: DeviceProfile): Promise<Finding[]> {
  try {
    const device = await openDevice(profile);
    await device.close();
    if (device.fault !== undefined) return [{ what: 'opens', state: 'fail', found: device.fault }];
    const { browser, gpu, cpu } = device.environment;
    const what = [browser?.product, gpu && adapterText(gpu)].filter((each) => each !== undefined);
    const found = what.join(', ') || cpu.model;
    const software = gpu?.software === true && !profile.emulated;
    return [
      software ? { what: 'opens', state: 'warn', found, fix: NO_GPU } : { what: 'opens', state: 'ok', found },
    ];
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return [{ what: 'opens', state: 'fail', found: error.message }];
  }
}

async function environmentOf(profile: DeviceProfile): Promise<Environment> {
  const device = await openDevice(profile);
  await device.close();
  return device.environment;
}
