import { z } from 'zod';
import type { PluginRecord } from '../base/plugin.js';
import type { Environment } from '../protocol/environment.js';
import type { Device } from './device.js';

/** What every device profile may say, whatever the device's kind. */
export const commonFields = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/i, 'a name of letters, digits, "." and "-"')
    .describe('How the device is called in tables, reports and the database.'),
  description: z.string().default('').describe('One line about it.'),
  threads: z
    .union([z.number().int().positive(), z.literal('all')])
    .optional()
    .describe(
      'Threads for the runtime: a number, or `all` for one on each core (on boards on those of the fastest kind). Left out, one on a virtual machine, whose hypervisor may move its processors, so that threads that share data differ from process to process; elsewhere all. With WebGPU, which computes nothing on the processor, 1.',
    ),
  session: z
    .strictObject({
      memoryPattern: z
        .boolean()
        .optional()
        .describe('Whether buffers are laid out in advance for shapes that come again.'),
      arena: z.boolean().optional().describe('Whether memory is kept for later runs instead of given back.'),
      spinning: z.boolean().optional().describe('Whether threads that wait keep their core busy.'),
      x64QuantPrecision: z
        .boolean()
        .optional()
        .describe(
          'INT8 products without saturation on x86-64; left out, on where the processor has no VNNI. False measures what a runtime with its own defaults gives there.',
        ),
    })
    .default({})
    .describe("Session options that differ from the runtime's defaults."),
  price: z
    .strictObject({
      amount: z.number().positive().describe('What one costs.'),
      currency: z.string().min(1).max(8).describe('In which currency.'),
    })
    .optional()
    .describe('For `edgeflex procure`.'),
  power: z
    .strictObject({
      idle: z.number().positive().optional().describe('Watts at rest.'),
      load: z.number().positive().describe('Watts while it works.'),
    })
    .optional()
    .describe('From a data sheet or a meter; used where nothing measures it in a run.'),
  notes: z.string().max(4000).default('').describe('Anything else; it is shown with the device.'),
  emulated: z
    .boolean()
    .default(false)
    .describe(
      'Not the hardware it looks like but an emulator: it is called "(emulated)" in every table, file and message, and is not ranked.',
    ),
};

/** A device profile: how to reach a device and how to use it, as far as all kinds have it in common. */
export type DeviceProfile = { readonly kind: string } & z.infer<z.ZodObject<typeof commonFields>>;

/** One thing that was looked at on a device. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it; undefined where there is nothing to do. */
  readonly mend?: string;
}

/** What a device had to give back. */
export interface Cleaned {
  readonly freedBytes: number;
  readonly killedAgents: number;
}

/** Something that only one device of a run can have, such as a port. */
export interface Claim {
  /** The field of the profile that asks for it. */
  readonly place: string;
  readonly what: string;
  readonly hint: string;
}

/** A kind of device: how its profiles look, and how a device of the kind is reached. */
export interface DeviceKind<Profile extends DeviceProfile = DeviceProfile> {
  /** How profiles call it; kinds of plug-ins begin with `x-`. */
  readonly kind: string;
  /** One sentence. */
  readonly description: string;
  /** What its profiles say: the common fields and its own. Descriptions become the reference. */
  readonly profile: z.ZodType<Profile>;
  /** The plug-in that brought it; undefined for EdgeFlex's own. */
  readonly origin?: PluginRecord;
  /**
   * Reaches a device.
   *
   * @param profile - of the device
   * @throws DeviceError when it cannot be reached
   */
  open(profile: Profile): Promise<Device>;
  /**
   * A profile whose paths no longer depend on where its file lies; left out where profiles have no paths.
   *
   * @param profile - as the file says
   * @param folder - of the file
   */
  resolve?(profile: Profile, folder: string): Profile;
  /** The machine that will do the work, as far as it can be told before the device is open; left out, this machine. */
  host?(profile: Profile): Promise<string>;
  /** What no other device of a run may claim; left out, nothing. */
  claim?(profile: Profile): Claim | undefined;
  /** How a device is reached, in a few words; left out, the name of the kind. */
  reachedBy?(profile: Profile): string;
  /** Looks at everything a run on the device depends on, and puts nothing there; left out, whether it opens. */
  check?(profile: Profile): Promise<Finding[]>;
  /** What the device is, without putting anything there; left out, it is opened and asked. */
  describe?(profile: Profile): Promise<Environment>;
  /** Removes everything that runs left on the device; left out where they leave nothing. */
  clean?(profile: Profile): Promise<Cleaned>;
}

/** A kind of device as a plug-in defines it. */
export interface PluginDeviceKind<Options extends object> extends Pick<DeviceKind, 'description'> {
  /** How profiles call it: it begins with `x-`. */
  readonly kind: string;
  /** What a profile says under `options`, apart from the fields that all kinds have or may get. */
  readonly options: z.ZodType<Options>;
  /**
   * Reaches a device.
   *
   * @param profile - what all profiles say
   * @param options - what profiles of this kind say
   * @throws DeviceError when it cannot be reached
   */
  open(profile: DeviceProfile, options: Options): Promise<Device>;
}

/**
 * Defines a kind of device for a plug-in, its options typed by their schema.
 *
 * @param device - the kind
 * @throws RangeError when its name does not begin with `x-`
 */
export function defineDevice<Options extends object>(
  device: PluginDeviceKind<Options>,
): DeviceKind<DeviceProfile & { options: Options }> {
  const { kind, description, options } = device;
  if (!/^x-[a-z0-9-]+$/.test(kind))
    throw new RangeError(`"${kind}" is no name of a kind of device: it begins with "x-"`);
  return {
    ...{ kind, description },
    profile: z.strictObject({ kind: z.literal(kind), options: options.prefault({}), ...commonFields }),
    open: (profile) => device.open(profile, profile.options),
  };
}
