import { closeAll } from '../base/close.js';
import { THIS_MACHINE, type Device } from './device.js';
import type { DeviceProfile } from './kind.js';
import { kindOf } from './registry.js';

/**
 * Reaches a device.
 *
 * @param profile - how
 * @throws DeviceError when it cannot be reached
 */
export async function openDevice(profile: DeviceProfile): Promise<Device> {
  const device = await kindOf(profile).open(profile);
  // A fact of what was measured on, not only of its name.
  return profile.emulated ? { ...device, environment: { ...device.environment, emulated: true } } : device;
}

/**
 * Reaches devices: boards side by side, because each takes a while to get ready; those of one host in turn.
 *
 * @param profiles - how
 * @returns in the order of the profiles
 * @throws the error of the first that cannot be opened, once the others are closed again
 */
export async function openDevices(profiles: readonly DeviceProfile[]): Promise<Device[]> {
  const reached = await Promise.all(
    profiles.map(async (profile) => ({
      profile,
      host: (await kindOf(profile).host?.(profile)) ?? THIS_MACHINE,
    })),
  );
  const last = new Map<string, Promise<unknown>>();
  const ends = await Promise.allSettled(
    reached.map(({ profile, host }) => {
      const before = last.get(host) ?? Promise.resolve();
      const opening = before.then(() => openDevice(profile));
      last.set(
        host,
        opening.catch(() => undefined),
      );
      return opening;
    }),
  );
  const opened = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed === undefined) return opened;
  // Why one cannot be opened is what the user must know; what else goes wrong on the way out comes second.
  await closeAll(opened);
  throw failed.reason;
}
