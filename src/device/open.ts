import type { Device } from './device.js';
import { openLocal } from './local/device.js';
import type { DeviceProfile } from './profile.js';

/**
 * Reaches a device.
 *
 * @param profile - how
 * @throws DeviceError when it cannot be reached
 */
export function openDevice(profile: DeviceProfile): Promise<Device> {
  return openers[profile.kind](profile);
}

/** One line for each kind of device. */
const openers: Record<DeviceProfile['kind'], (profile: DeviceProfile) => Promise<Device>> = {
  local: openLocal,
};
