import { oneLine } from './format.js';
import type { Table } from './table.js';

/**
 * A table in GitHub's Markdown: head, rule and rows, one line each.
 *
 * @param table - what to show; its notes are left to the caller
 */
export function markdownTable({ columns, rows }: Table): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ key }) => escaped(row[key] ?? '')))),
  ];
}

/** A text that Markdown, the HTML in it and the formulas that GitHub adds show as it is, on one line and in one cell. */
export function escaped(text: string): string {
  return oneLine(text)
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|~$]/g, (character) => `\\${character}`);
}
