import CliTable from 'cli-table3';
import { oneLine } from './format.js';
import type { Column, Table } from './table.js';

/**
 * A table for a terminal. Nothing in it can command the terminal but the colours of the head.
 *
 * @param table - what to show
 * @param colour - whether the terminal shows colours
 * @param width - of the terminal in characters; columns that can be spared are left out where they do not fit
 */
export function terminalTable(table: Table, colour: boolean, width = Infinity): string {
  const columns = fitting(table, width);
  const missing = table.columns.filter((column) => !columns.includes(column)).map(({ title }) => title);
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
    head: columns.map(({ title }) => (colour ? bold(title) : title)),
    colAligns: columns.map(({ align }) => align),
    chars: { ...rules, ...sides, mid: '', 'mid-mid': '', middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, compact: true, head: [], border: [] },
  });
  for (const row of table.rows) rendered.push(columns.map(({ key }) => oneLine(row[key] ?? '')));
  const notes = [...table.notes];
  if (missing.length > 0)
    notes.push(`Not shown here, for want of room, but in the report: ${missing.join(', ')}.`);
  return [rendered.toString(), '', ...notes.map(oneLine)].join('\n');
}

const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;

/** Two spaces between columns. */
const GAP = 2;

/** The columns of a table that fit into a width, as far as columns can be spared. */
function fitting({ columns, rows }: Table, width: number): readonly Column[] {
  const widthOf = ({ key, title }: Column): number =>
    rows.reduce((most, row) => Math.max(most, (row[key] ?? '').length), title.length) + GAP;
  let kept = columns;
  while (kept.reduce((sum, column) => sum + widthOf(column), -GAP) > width) {
    const spares = kept.map(({ spare }) => spare).filter((spare) => spare !== undefined);
    if (spares.length === 0) break;
    const next = Math.min(...spares);
    kept = kept.filter(({ spare }) => spare !== next);
  }
  return kept;
}
