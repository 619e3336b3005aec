import { browserKind } from './browser/kind.js';
import type { DeviceKind, DeviceProfile } from './kind.js';
import { localKind } from './local/kind.js';
import { sshKind } from './ssh/kind.js';

/** The kinds of devices that EdgeFlex brings: a line each. */
const builtIn: readonly DeviceKind[] = [localKind, browserKind, sshKind];

const kinds = new Map(builtIn.map((kind) => [kind.kind, kind]));

/**
 * Makes a kind of device known to profiles.
 *
 * @param kind - the kind
 * @throws RangeError when another has its name
 */
export function registerDevice(kind: DeviceKind): void {
  if (kinds.has(kind.kind)) throw new RangeError(`there is a kind of device called ${kind.kind} already`);
  kinds.set(kind.kind, kind);
}

/** All kinds of devices, EdgeFlex's own first. */
export function deviceKinds(): readonly DeviceKind[] {
  return [...kinds.values()];
}

/** The kind of a name; undefined where there is none. */
export function findKind(name: string): DeviceKind | undefined {
  return kinds.get(name);
}

/**
 * The kind of a device whose profile was read.
 *
 * @throws Error when there is none: reading a profile refuses unknown kinds
 */
export function kindOf({ kind: name }: DeviceProfile): DeviceKind {
  const kind = kinds.get(name);
  if (kind === undefined) throw new Error(`no kind of device is called ${name}`);
  return kind;
}
