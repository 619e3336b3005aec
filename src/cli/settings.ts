import type { Command } from 'commander';
import { readSettings, type Settings } from '../plugins/config.js';
import { loadPlugins } from '../plugins/load.js';

/** Settings of a folder that are in force. */
export interface Configured {
  /**
   * Gives a command's flags the values that the settings have for them, where the user has given none.
   *
   * @param command - that is about to run
   */
  apply(command: Command): void;
}

/** The environment's name for a setting: it decides before the settings do. */
const variables = {
  data: 'EDGEFLEX_DATA',
  cache: 'EDGEFLEX_CACHE',
  cacheLimit: 'EDGEFLEX_CACHE_LIMIT',
} as const;

/**
 * Puts the settings of a folder into force: plug-ins, folders, devices.
 *
 * @param directory - where the command was started
 * @throws InputError when they cannot be read, say something unknown, or a plug-in cannot be loaded
 */
export async function configure(directory: string): Promise<Configured> {
  const settings = await readSettings(directory);
  if (settings === undefined) return { apply: () => undefined };
  for (const [key, variable] of Object.entries(variables)) {
    const value = settings[key as keyof typeof variables];
    if (value !== undefined && !process.env[variable]) process.env[variable] = value;
  }
  await loadPlugins(settings.plugins, settings.path);
  return {
    apply: (command) => {
      applyTo(command, settings);
    },
  };
}

function applyTo(command: Command, { results, reports, devices }: Settings): void {
  const values = { results, reports, ...(command.name() === 'run' && { device: devices }) };
  for (const [name, value] of Object.entries(values))
    // A group's flag is its subcommands', too.
    for (const each of [command, command.parent])
      if (value !== undefined && each?.getOptionValueSource(name) === 'default')
        each.setOptionValueWithSource(name, value, 'config');
}
