import CliTable from 'cli-table3';
import { oneLine } from './format.js';
import type { Table } from './table.js';

/**
 * A table for a terminal. Nothing in it can command the terminal but the colours of the head.
 *
 * @param table - what to show
 * @param colour - whether the terminal shows colours
 */
export function terminalTable(table: Table, colour: boolean): string {
  const rules = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const sides = {
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    right: '',
    'right-mid': '',
  };
  const rendered = new CliTable({
    head: table.columns.map(({ title }) => title),
    colAligns: table.columns.map(({ align }) => align),
    chars: { ...rules, ...sides, mid: '', 'mid-mid': '', middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, compact: true, head: colour ? ['bold'] : [], border: [] },
  });
  for (const row of table.rows) rendered.push(table.columns.map(({ key }) => oneLine(row[key] ?? '')));
  return [rendered.toString(), '', ...table.notes.map(oneLine)].join('\n');
}
