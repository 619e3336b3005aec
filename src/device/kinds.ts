import type { z } from 'zod';
import { describeFault } from '../base/schema.js';
import { InputError } from '../base/errors.js';
import type { PluginRecord } from '../base/plugin.js';
import { didYouMean } from '../base/similar.js';
import type { Device } from './device.js';
import type { PluginProfile } from './profile.js';

/** A kind of device that a plug-in brings. EdgeFlex's own have a line each in `open.ts`. */
export interface DeviceKind<Options extends object = object> {
  /** How profiles call it: it begins with `x-`. */
  readonly kind: PluginProfile['kind'];
  /** One sentence. */
  readonly description: string;
  /** What a profile says in `options`. */
  readonly options: z.ZodType<Options>;
  /** The plug-in that brought it. */
  readonly origin?: PluginRecord;
  /**
   * Reaches a device.
   *
   * @param profile - what all profiles say
   * @param options - what profiles of this kind say
   * @throws DeviceError when it cannot be reached
   */
  open(profile: PluginProfile, options: Options): Promise<Device>;
}

const kinds = new Map<string, DeviceKind>();

/**
 * Defines a kind of device, its options typed by their schema.
 *
 * @param kind - the kind
 */
export function defineDevice<Options extends object>(kind: DeviceKind<Options>): DeviceKind<Options> {
  return kind;
}

/**
 * Makes a kind of device known to profiles.
 *
 * @param kind - the kind
 * @throws RangeError when another has its name, or the name does not begin with `x-`
 */
export function registerDevice(kind: DeviceKind): void {
  if (!/^x-[a-z0-9-]+$/.test(kind.kind))
    throw new RangeError(`"${kind.kind}" is no name of a kind of device: it begins with "x-"`);
  if (kinds.has(kind.kind)) throw new RangeError(`there is a kind of device called ${kind.kind} already`);
  kinds.set(kind.kind, kind);
}

/**
 * Reaches a device of a kind that a plug-in brought.
 *
 * @param profile - of the device
 * @throws InputError when no plug-in brought the kind, or the profile's options do not fit it; DeviceError when it cannot be reached
 */
export function openPluginDevice(profile: PluginProfile): Promise<Device> {
  const kind = kinds.get(profile.kind);
  if (kind === undefined)
    throw new InputError({
      source: `device ${profile.name}`,
      place: 'kind',
      found: `${profile.kind}, which no plug-in has brought${didYouMean(profile.kind, [...kinds.keys()])}`,
      expected: ['local', 'browser', 'ssh', ...kinds.keys()].join(', '),
      hint: 'Name the plug-in under "plugins" in the suite or in edgeflex.config.',
    });
  const options = kind.options.safeParse(profile.options);
  if (options.success) return kind.open(profile, options.data);
  const { path, found, expected } = describeFault(options.error, profile.options);
  throw new InputError({
    source: `device ${profile.name}`,
    place: ['options', ...path].map(String).join('.'),
    ...{ found, expected },
  });
}
