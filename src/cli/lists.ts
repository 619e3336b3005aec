import type { PluginRecord } from '../base/plugin.js';
import { terminalTable } from '../text/terminal.js';

/**
 * A list for people, on the terminal.
 *
 * @param titles - of the columns, by key
 * @param rows - texts by key
 */
export function listText<Key extends string>(
  titles: Readonly<Record<Key, string>>,
  rows: readonly Readonly<Record<Key, string>>[],
): string {
  const columns = Object.entries<string>(titles).map(([key, title]) => ({
    key,
    title,
    align: 'left' as const,
  }));
  return terminalTable({ columns, rows, notes: [] }, process.stdout.isTTY).trimEnd();
}

/**
 * Things of a registry with a line each.
 *
 * @param things - with what they are called, one sentence, and the plug-in that brought them
 */
export function registryText(
  things: readonly {
    readonly name: string;
    readonly description: string;
    readonly origin?: PluginRecord | undefined;
  }[],
): string {
  const width = Math.max(...things.map(({ name }) => name.length));
  return things
    .map(({ name, description, origin }) => {
      const from = origin === undefined ? '' : ` (plug-in ${origin.name})`;
      return `  ${name.padEnd(width)}  ${description}${from}`;
    })
    .join('\n');
}
