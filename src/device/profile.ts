import { z } from 'zod';
import { dirname, resolve } from 'node:path';
import { checked, readYaml } from '../base/schema.js';
import { browserFields } from './browser/profile.js';
import { refuseSecrets } from './secrets.js';

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/i, 'a name of letters, digits, "." and "-"'),
  description: z.string().default(''),
  /**
   * Threads for the runtime: a number, or one for each core with `all`. Left out: one on a virtual machine, whose hypervisor may move
   * its processors, so that threads that share data differ from process to process; elsewhere one for each core.
   */
  threads: z.union([z.number().int().positive(), z.literal('all')]).optional(),
  /** Session options that differ from the runtime's defaults. */
  session: z
    .strictObject({
      memoryPattern: z.boolean().optional(),
      arena: z.boolean().optional(),
      spinning: z.boolean().optional(),
      /**
       * INT8 products without saturation on x86-64; left out, on where the processor has no VNNI. False measures what a runtime
       * with its own defaults gives there.
       */
      x64QuantPrecision: z.boolean().optional(),
    })
    .default({}),
  /** What one costs: for choosing what to buy. */
  price: z.strictObject({ amount: z.number().positive(), currency: z.string().min(1).max(8) }).optional(),
  /** Power in watts, from a data sheet or a meter: at rest, and while it works. Used where nothing measures it in a run. */
  power: z.strictObject({ idle: z.number().positive().optional(), load: z.number().positive() }).optional(),
  notes: z.string().max(4000).default(''),
  /** Not the hardware it looks like but an emulator: its timings say nothing of the hardware, and are marked everywhere. */
  emulated: z.boolean().default(false),
};

/** A board that is reached over SSH. */
const sshSchema = z.strictObject({
  kind: z.literal('ssh'),
  ...common,
  /** A host name, `user@host`, or an alias of `~/.ssh/config`. */
  host: z
    .string()
    .max(255)
    .regex(
      /^[^-\s\p{Cc}][^\s\p{Cc}]*$/u,
      'a host name or an alias of ~/.ssh/config, which does not begin with "-"',
    ),
  /** Another file in the place of `~/.ssh/config`, beside the profile. */
  config: z.string().optional(),
  /** The folder on the board that everything goes into, from the home of its user. */
  folder: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]+$/u, 'a path without control characters')
    .default('.cache/edgeflex'),
  /** A Node on the board, or `bring`; left out, the board's own where it is new enough, and one that is brought elsewhere. */
  node: z
    .string()
    .max(1024)
    .regex(/^[^\p{Cc}]+$/u, 'a path without control characters')
    .optional(),
  /** Before a timed round the board may cool down to so many degrees Celsius, for so many seconds at most. */
  coolDown: z
    .strictObject({ temperature: z.number().min(0).max(120), seconds: z.number().positive().max(3600) })
    .optional(),
  /** After a break the board may take so many seconds to come back: a restart takes a minute. */
  restart: z.number().min(0).max(3600).default(180),
  /** A command on this machine that prints the watts the board takes now, such as that of a metering plug. */
  meter: z.array(z.string().min(1)).min(1).optional(),
});

const localSchema = z.strictObject({ kind: z.literal('local'), ...common });

/** A browser on this machine, or one that already runs elsewhere. */
const browserSchema = z.strictObject({ ...browserFields, ...common });

const profileSchema = z.discriminatedUnion('kind', [localSchema, sshSchema, browserSchema]);

/** A device of a kind that a plug-in brings; what is its own stands in `options`. */
const pluginSchema = z.strictObject({
  kind: z.templateLiteral(['x-', z.string().regex(/^[a-z0-9-]+$/)]),
  options: z.record(z.string(), z.unknown()).default({}),
  ...common,
});

/** A device of a kind that a plug-in brings. */
export type PluginProfile = z.infer<typeof pluginSchema>;

/** This machine. */
type LocalProfile = z.infer<typeof localSchema>;

/** A board that is reached over SSH. */
export type SshProfile = z.infer<typeof sshSchema>;

/** A device profile: how to reach a device and how to use it. */
export type DeviceProfile = z.infer<typeof profileSchema> | PluginProfile;

/** The profile of a kind of device. */
export type ProfileOf<Kind extends DeviceProfile['kind']> = Extract<DeviceProfile, { kind: Kind }>;

/**
 * Reads a device profile.
 *
 * @param path - a YAML file, such as `devices/local-cpu.yaml`
 * @throws InputError when it is no device profile
 */
export async function readDeviceProfile(path: string): Promise<DeviceProfile> {
  const file = await readYaml(path, 'a device profile');
  refuseSecrets(file);
  const kind = z.looseObject({ kind: z.string() }).safeParse(file.value).data?.kind;
  if (kind?.startsWith('x-')) return checked(file, [], file.value, pluginSchema);
  const profile = checked(file, [], file.value, profileSchema);
  if (profile.kind !== 'ssh' || profile.config === undefined) return profile;
  return { ...profile, config: resolve(dirname(path), profile.config) };
}

/**
 * The profile of this machine's processor as it is without a file.
 *
 * @param changes - what differs
 */
export function localProfile(changes: Partial<LocalProfile> = {}): LocalProfile {
  return { ...localSchema.parse({ name: 'local-cpu', kind: 'local' }), ...changes };
}

/**
 * How a device is called in progress, database and reports: an emulator never without saying so.
 *
 * @param profile - of the device
 */
export function deviceName({ name, emulated }: Pick<DeviceProfile, 'name' | 'emulated'>): string {
  return emulated ? `${name} (emulated)` : name;
}
