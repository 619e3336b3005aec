import { z } from 'zod';
import { checked, readYaml } from '../base/schema.js';

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/i, 'a name of letters, digits, "." and "-"'),
  description: z.string().default(''),
  /** Threads for the runtime; undefined takes the physical cores. */
  threads: z.number().int().positive().optional(),
  /** Session options that differ from the runtime's defaults. */
  session: z
    .strictObject({
      memoryPattern: z.boolean().optional(),
      arena: z.boolean().optional(),
      spinning: z.boolean().optional(),
    })
    .default({}),
};

const profileSchema = z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('local'), ...common })]);

/** A device profile: how to reach a device and how to use it. */
export type DeviceProfile = z.infer<typeof profileSchema>;

/**
 * Reads a device profile.
 *
 * @param path - a YAML file, such as `devices/local-cpu.yaml`
 * @throws InputError when it is no device profile
 */
export async function readDeviceProfile(path: string): Promise<DeviceProfile> {
  const file = await readYaml(path, 'a device profile');
  return checked(file, [], file.value, profileSchema);
}
