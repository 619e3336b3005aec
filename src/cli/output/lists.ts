import type { PluginRecord } from '../../base/plugin.js';
import { definitions } from '../../base/wrap.js';
import type { Table } from '../../text/table.js';
import { terminalTable } from '../../text/terminal.js';
import { screenWidth, showsColour } from './screen.js';

/**
 * A table as standard output can show it.
 *
 * @param table - what to show
 */
export function tableText(table: Table): string {
  return terminalTable(table, showsColour(), screenWidth());
}

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
  return tableText({ columns, rows, notes: [] }).trimEnd();
}

/**
 * Things of a registry with a line each.
 *
 * @param things - with what they are called, one sentence, and the plug-in that brought them
 * @param width - in characters
 */
export function registryText(
  things: readonly {
    readonly name: string;
    readonly description: string;
    readonly origin?: PluginRecord | undefined;
  }[],
  width = screenWidth(),
): string {
  return definitions(
    things.map(({ name, description, origin }) => [
      name,
      `${description}${origin === undefined ? '' : ` (plug-in ${origin.name})`}`,
    ]),
    width,
  ).join('\n');
}
