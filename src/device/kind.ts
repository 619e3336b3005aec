import { z } from 'zod';
import type { PluginRecord } from '../base/plugin.js';
import { readBytes } from '../base/quantities.js';
import type { Environment } from '../protocol/environment.js';
import type { Device } from './device.js';

/** What every device profile may say, whatever the device's kind. */
export const commonFields = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/i, 'a name of letters, digits, "." and "-"')
    .describe('Name of the device in tables, reports and the database.'),
  description: z.string().default('').describe('One-line description.'),
  threads: z
    .union([z.number().int().positive(), z.literal('all')])
    .optional()
    .describe(
      'Threads for the runtime: a number, or `all` for one per core (on boards, only the fastest kind of core). Default: one on a virtual machine, because its hypervisor may move the processors, which makes the speed of several threads vary from process to process; otherwise `all`. Always 1 with WebGPU, which computes nothing on the CPU.',
    ),
  session: z
    .strictObject({
      memoryPattern: z
        .boolean()
        .optional()
        .describe('Whether to plan buffers in advance for recurring shapes.'),
      arena: z
        .boolean()
        .optional()
        .describe('Whether to keep memory for later runs instead of returning it.'),
      spinning: z.boolean().optional().describe('Whether waiting threads keep their core busy.'),
      x64QuantPrecision: z
        .boolean()
        .optional()
        .describe(
          'INT8 products without saturation on x86-64. Default: on if the processor has no VNNI and the products of a variant may saturate. `false` measures what the runtime does by default there.',
        ),
    })
    .default({})
    .describe("Session options that differ from the runtime's defaults."),
  board: z
    .string()
    .max(200)
    .optional()
    .describe(
      'The board or machine to buy, as a shop calls it. For `edgeflex procure`, as are the next four.',
    ),
  memory: z
    .string()
    .refine((text) => (readBytes(text) ?? 0) > 0, 'a size, such as 8GiB')
    .optional()
    .describe('Memory of the board as sold, such as `8GiB`.'),
  count: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('How many are available: a load that needs more fails. Any number if left out.')
    .meta({ unit: 'devices' }),
  price: z
    .strictObject({
      amount: z.number().positive().describe('Price of one device.'),
      currency: z.string().min(1).max(8).describe('Currency of the price, such as `EUR`.'),
      date: z.iso
        .date('a day, such as 2026-11-28')
        .optional()
        .describe('Day of the price, such as `2026-11-28`.'),
    })
    .optional()
    .describe('Price of one device, and when it was seen.'),
  power: z
    .strictObject({
      idle: z.number().positive().optional().describe('Watts when idle.').meta({ unit: 'W' }),
      load: z.number().positive().describe('Watts under load.').meta({ unit: 'W' }),
    })
    .refine(({ idle, load }) => idle === undefined || idle <= load, {
      path: ['idle'],
      message: 'at most the power under load',
    })
    .optional()
    .describe(
      'From a data sheet or a meter. Idle power counts towards the cost of ownership; power under load only if a run does not measure it.',
    ),
  notes: z.string().max(4000).default('').describe('Anything else; shown with the device.'),
  emulated: z
    .boolean()
    .default(false)
    .describe(
      'Whether this is an emulator rather than real hardware: it is marked "(emulated)" in every table, file and message, and is not ranked.',
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
  readonly fix?: string;
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
