import { openBrowser } from './browser/device.js';
import type { Device } from './device.js';
import { openLocal } from './local/device.js';
import type { DeviceProfile } from './profile.js';
import { openSsh } from './ssh/device.js';

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
      return openSsh(profile);
  }
}
