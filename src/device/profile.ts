import { dirname } from 'node:path';
import { z } from 'zod';
import { checked, faultAt, readYaml, show, type YamlFile } from '../base/schema.js';
import { didYouMean } from '../base/similar.js';
import type { DeviceKind, DeviceProfile } from './kind.js';
import { deviceKinds, findKind } from './registry.js';
import { refuseSecrets } from './secrets.js';

const anyKind = z.looseObject({ kind: z.string() });

/**
 * Reads a device profile.
 *
 * @param path - a YAML file, such as `devices/local-cpu.yaml`
 * @throws InputError when it is no device profile, or of a kind that nobody has registered
 */
export async function readDeviceProfile(path: string): Promise<DeviceProfile> {
  const file = await readYaml(path, 'a device profile');
  refuseSecrets(file);
  const kind = kindIn(file);
  const profile = checked(file, [], file.value, kind.profile);
  return kind.resolve?.(profile, dirname(path)) ?? profile;
}

/** @throws InputError when the file names no kind, or one that is not known */
function kindIn(file: YamlFile): DeviceKind {
  const { kind: name } = checked(file, [], file.value, anyKind);
  const kind = findKind(name);
  if (kind !== undefined) return kind;
  const names = deviceKinds().map((each) => each.kind);
  const missing = name.startsWith('x-')
    ? ', after the plug-in that brings it is named under "plugins" in the suite or in edgeflex.config'
    : '';
  throw faultAt(
    file,
    ['kind'],
    `${show(name)}${didYouMean(name, names)}`,
    `${names.map((each) => show(each)).join(' or ')}${missing}`,
  );
}

/**
 * How a device is called in progress, database and reports: an emulator never without saying so.
 *
 * @param profile - of the device
 */
export function deviceName({ name, emulated }: Pick<DeviceProfile, 'name' | 'emulated'>): string {
  return emulated ? `${name} (emulated)` : name;
}
