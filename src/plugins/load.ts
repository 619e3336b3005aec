import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError, messageOf } from '../base/errors.js';
import type { PluginRecord } from '../base/plugin.js';
import { pluginApi, type PluginApi } from './api.js';
import { recordOf } from './digest.js';

/** The plug-ins of this process, by the path of their module. */
const loaded = new Map<string, PluginRecord>();

const moduleSchema = z.looseObject({
  default: z.custom<(api: PluginApi) => unknown>((value) => typeof value === 'function'),
});

/** The plug-ins that were loaded, in that order. */
export function loadedPlugins(): readonly PluginRecord[] {
  return [...loaded.values()];
}

/**
 * Loads plug-ins: each is a module whose default export is called with what it may register. One that is loaded already is not
 * loaded again.
 *
 * @param names - paths (beginning with `.` or `/`), or names of installed packages
 * @param beside - the file that names them: paths and packages are looked for from there
 * @throws InputError when a module is not there, is no plug-in, or registers what there is already
 */
export async function loadPlugins(names: readonly string[], beside: string): Promise<void> {
  for (const name of names) {
    const path = located(name, beside);
    if (loaded.has(path)) continue;
    const record = await recordOf(name, path);
    try {
      const module: unknown = await import(pathToFileURL(path).href);
      const plugin = moduleSchema.safeParse(module);
      if (!plugin.success) throw new TypeError('its default export is no function');
      await plugin.data.default(pluginApi(record));
    } catch (error) {
      throw refused(beside, name, messageOf(error));
    }
    loaded.set(path, record);
  }
}

function located(name: string, beside: string): string {
  try {
    const path =
      name.startsWith('.') || isAbsolute(name)
        ? resolve(dirname(beside), name)
        : createRequire(join(dirname(resolve(beside)), 'package.json')).resolve(name);
    return realpathSync(path);
  } catch (error) {
    throw refused(beside, name, messageOf(error).split('\n')[0] ?? '');
  }
}

function refused(beside: string, name: string, why: string): InputError {
  return new InputError({
    source: beside,
    place: 'plugins',
    found: `${name}: ${why}`,
    expected:
      'a module whose default export is a function that registers stages, datasets, devices or exporters',
    hint: 'Paths are relative to the file that names them; packages must be installed beside it.',
  });
}
