import { openBrowser } from './browser/device.js';
import { THIS_MACHINE, type Device } from './device.js';
import { openLocal } from './local/device.js';
import type { DeviceProfile } from './profile.js';
import { openBoard } from './ssh/absent.js';
import { placeOf, resolveTarget } from './ssh/target.js';

/**
 * Reaches a device.
 *
 * @param profile - how
 * @throws DeviceError when it cannot be reached
 */
export function openDevice(profile: DeviceProfile): Promise<Device> {
  // One line for each kind of device.
  switch (profile.kind) {
    case 'local':
      return openLocal(profile);
    case 'browser':
      return openBrowser(profile);
    case 'ssh':
      return openBoard(profile);
  }
}

/**
 * Reaches devices: boards side by side, because each takes a while to get ready; those of one place in turn.
 *
 * @param profiles - how
 * @returns in the order of the profiles
 * @throws the error of the first that cannot be opened, once the others are closed again
 */
export async function openDevices(profiles: readonly DeviceProfile[]): Promise<Device[]> {
  const places = await Promise.all(profiles.map(placeToBe));
  const last = new Map<string, Promise<unknown>>();
  const ends = await Promise.allSettled(
    profiles.map((profile, index) => {
      const place = places[index]!;
      const before = last.get(place) ?? Promise.resolve();
      const opening = before.then(() => openDevice(profile));
      last.set(
        place,
        opening.catch(() => undefined),
      );
      return opening;
    }),
  );
  const opened = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed === undefined) return opened;
  await Promise.all(opened.map((device) => device.close()));
  throw failed.reason;
}

/** Two aliases of one board are one place: its files are brought by one at a time. */
async function placeToBe(profile: DeviceProfile): Promise<string> {
  if (profile.kind !== 'ssh') return THIS_MACHINE;
  const { host, config } = profile;
  return resolveTarget({ host, config }).then(placeOf, () => host);
}
