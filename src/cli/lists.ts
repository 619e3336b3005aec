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
