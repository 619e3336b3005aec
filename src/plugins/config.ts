import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError, messageOf } from '../base/errors.js';
import { isName } from '../base/named.js';
import { checked, describeFault, readYaml } from '../base/schema.js';

/** Where settings are looked for, the first that is there counts. */
const NAMES = ['edgeflex.config.yaml', 'edgeflex.config.mjs', 'edgeflex.config.js'];

const settingsSchema = z.strictObject({
  /** Plug-ins for every command. */
  plugins: z.array(z.string().min(1)).default([]),
  /** Where the results database lies, like `--results`. */
  results: z.string().min(1).optional(),
  /** Where reports go, like `--reports`. */
  reports: z.string().min(1).optional(),
  /** Where images lie, like `EDGEFLEX_DATA`. */
  data: z.string().min(1).optional(),
  /** Where artifacts and fetched images go, like `EDGEFLEX_CACHE`. */
  cache: z.string().min(1).optional(),
  /** How much that may take, like `EDGEFLEX_CACHE_LIMIT`. */
  cacheLimit: z.string().min(1).optional(),
  /** What "edgeflex run" measures on in place of the suite's devices, like `--device`. */
  devices: z.array(z.string().min(1)).min(1).optional(),
});

/** What a user has set for every command in a folder: paths are absolute. */
export interface Settings extends z.infer<typeof settingsSchema> {
  /** The file that says so. */
  readonly path: string;
}

/**
 * The settings of a directory: those of `edgeflex.config.yaml` (or `.mjs`, `.js`, whose default export they are).
 *
 * @param directory - where the command was started
 * @returns undefined where there is no such file
 * @throws InputError when the file cannot be read or says something unknown
 */
export async function readSettings(directory: string): Promise<Settings | undefined> {
  const path = NAMES.map((name) => join(directory, name)).find((each) => existsSync(each));
  if (path === undefined) return undefined;
  const said = path.endsWith('.yaml') ? await fromYaml(path) : await fromModule(path);
  const beside = (file: string | undefined): string | undefined => file && resolve(directory, file);
  return {
    ...{ ...said, path },
    ...{ results: beside(said.results), reports: beside(said.reports) },
    ...{ data: beside(said.data), cache: beside(said.cache) },
    devices: said.devices?.map((device) => (isName(device) ? device : resolve(directory, device))),
  };
}

async function fromYaml(path: string): Promise<z.infer<typeof settingsSchema>> {
  const file = await readYaml(path, 'settings');
  return checked(file, [], file.value ?? {}, settingsSchema);
}

async function fromModule(path: string): Promise<z.infer<typeof settingsSchema>> {
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
  const parsed = settingsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fault = describeFault(parsed.error, value);
  throw new InputError({ source: path, place: fault.path.map(String).join('.'), ...fault });
}
