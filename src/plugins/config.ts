import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError, messageOf } from '../base/errors.js';
import { checked, describeFault, readYaml } from '../base/schema.js';
import { loadPlugins } from './load.js';

/** Where settings are looked for, the first that is there counts. */
const NAMES = ['edgeflex.config.yaml', 'edgeflex.config.mjs', 'edgeflex.config.js'];

const configSchema = z.strictObject({
  /** Plug-ins for every command. */
  plugins: z.array(z.string().min(1)).default([]),
});

/**
 * Loads the plug-ins that `edgeflex.config.yaml` (or `.mjs`, `.js`, whose default export it is) of a directory names.
 *
 * @param directory - where the command was started
 * @throws InputError when the file cannot be read, says something unknown, or a plug-in cannot be loaded
 */
export async function loadConfiguredPlugins(directory: string): Promise<void> {
  const path = NAMES.map((name) => join(directory, name)).find((each) => existsSync(each));
  if (path === undefined) return;
  const { plugins } = path.endsWith('.yaml') ? await fromYaml(path) : await fromModule(path);
  await loadPlugins(plugins, path);
}

async function fromYaml(path: string): Promise<z.infer<typeof configSchema>> {
  const file = await readYaml(path, 'settings');
  return checked(file, [], file.value ?? {}, configSchema);
}

async function fromModule(path: string): Promise<z.infer<typeof configSchema>> {
  let value: unknown;
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    value = z.looseObject({ default: z.unknown() }).parse(module).default;
  } catch (error) {
    throw new InputError({
      source: path,
      found: messageOf(error),
      expected: 'a module whose default export are the settings',
    });
  }
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fault = describeFault(parsed.error, value);
  throw new InputError({ source: path, place: fault.path.map(String).join('.'), ...fault });
}
