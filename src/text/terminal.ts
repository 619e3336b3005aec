import CliTable from 'cli-table3';
import { oneLine } from './format.js';
import type { Column, Table } from './table.js';
import { definitions, wrapped } from '../base/wrap.js';

/**
 * A table for a terminal. Nothing in it can command the terminal but the colours of the head. Where it is wider than the terminal,
 * columns that can be spared go, then texts are wrapped, and at last each row becomes a list of its values.
 *
 * @param table - what to show
 * @param colour - whether the terminal shows colours
 * @param width - of the terminal in characters
 */
export function terminalTable(table: Table, colour: boolean, width = Infinity): string {
  const cells = table.rows.map((row) =>
    Object.fromEntries(table.columns.map(({ key }) => [key, withSign(oneLine(row[key] ?? ''))])),
  );
  const all = table.columns.map((column) => ({ ...column, title: withSign(column.title) }));
  const columns = fitting({ columns: all, rows: cells, notes: [] }, width);
  const widths = wrappedWidths(columns, cells, width);
  const missing = all.filter((column) => !columns.includes(column)).map(({ title }) => title);
  const notes = [...table.notes.map(oneLine)];
  // Below each other there is room for all.
  if (missing.length > 0 && widths !== undefined)
    notes.push(
      `Not shown here, because the terminal is too narrow (--json prints everything): ${missing.join(', ')}.`,
    );
  const head = (title: string): string => (colour ? bold(title) : title);
  const body =
    widths === undefined
      ? asLists(all, cells, head, width)
      : asGrid(
          columns.map(({ key, title, ...rest }) => ({
            ...{ key, ...rest },
            title: wrapped(title, widths.get(key) ?? Infinity)
              .map(head)
              .join('\n'),
          })),
          cells.map((row) =>
            columns.map(({ key }) => wrapped(row[key] ?? '', widths.get(key) ?? Infinity).join('\n')),
          ),
        );
  return [body, '', ...notes.flatMap((note) => wrapped(note, width))].join('\n').replaceAll(GLUE, ' ');
}

/** Stands for a space at which no line may end: a character that nobody writes. */
const GLUE = '\uE000';

/** A text that ends with a sign, such as ⚑ or %, which stays in the line of what it belongs to. */
function withSign(text: string): string {
  return text.replace(/ (?=[^\p{L}\p{N}\s]{1,2}$)/u, GLUE);
}

type Row = Readonly<Record<string, string>>;

const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;

/** Two spaces between columns. */
const GAP = 2;

function asGrid(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const rules = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' };
  const sides = {
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    right: '',
    'right-mid': '',
  };
  const grid = new CliTable({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align }) => align),
    chars: { ...rules, ...sides, mid: '', 'mid-mid': '', middle: ' '.repeat(GAP) },
    style: { 'padding-left': 0, 'padding-right': 0, compact: true, head: [], border: [] },
  });
  for (const row of rows) grid.push([...row]);
  // What follows the last text of a line is padding: nobody sees it, but a pipe gets it.
  return grid.toString().replace(/ +$/gm, '');
}

/** Each row as a list of its values, one below the other: for terminals that are too narrow for columns. */
function asLists(
  columns: readonly Column[],
  rows: readonly Row[],
  head: (title: string) => string,
  width: number,
): string {
  const [first, ...others] = columns;
  if (first === undefined) return '';
  return rows
    .map((row) => {
      const named = others.filter(({ key }) => row[key] !== '');
      const name = row[first.key] ?? '';
      return [
        ...(name === '' ? [] : wrapped(name, width).map(head)),
        ...definitions(
          named.map(({ key, title }) => [title, row[key] ?? '']),
          width,
        ),
      ].join('\n');
    })
    .join('\n');
}

function widthOf({ key, title }: Column, rows: readonly Row[]): number {
  return rows.reduce((most, row) => Math.max(most, (row[key] ?? '').length), title.length);
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each + GAP, -GAP);
}

/**
 * The columns of a table that fit into a width, as far as columns can be spared. Where cells must be wrapped even without all of those,
 * as many as have room beside wrapped cells stay.
 */
function fitting({ columns, rows }: Table, width: number): readonly Column[] {
  const spares = [...new Set(columns.map(({ spare }) => spare ?? Infinity))].sort((a, b) => a - b);
  const ways = spares.map((least) => columns.filter(({ spare = Infinity }) => spare >= least));
  return (
    ways.find((kept) => totalOf(kept.map((column) => widthOf(column, rows))) <= width) ??
    ways.find((kept) => wrappedWidths(kept, rows, width) !== undefined) ??
    ways.at(-1) ??
    columns
  );
}

/**
 * How wide columns may be so that all fit: texts give way first, then figures, whose intervals go below them; no word is broken.
 * Undefined where that is not enough.
 *
 * @returns widths by key, of the columns that are wrapped alone
 */
function wrappedWidths(
  columns: readonly Column[],
  rows: readonly Row[],
  width: number,
): ReadonlyMap<string, number> | undefined {
  const widths = new Map(columns.map((column) => [column.key, widthOf(column, rows)]));
  const least = new Map(columns.map((column) => [column.key, longestWordOf(column, rows)]));
  const now = ({ key }: Column): number => widths.get(key) ?? 0;
  const room = (column: Column): number => now(column) - (least.get(column.key) ?? 0);
  const limits = new Map<string, number>();
  for (const align of ['left', 'right'])
    for (let excess = totalOf([...widths.values()]) - width; excess > 0;) {
      const [widest, next] = columns
        .filter((column) => column.align === align && room(column) > 0)
        .sort((a, b) => now(b) - now(a));
      if (widest === undefined) break;
      const cut = Math.min(excess, room(widest), Math.max(1, now(widest) - (next ? now(next) : 0)));
      limits.set(widest.key, now(widest) - cut);
      widths.set(widest.key, now(widest) - cut);
      excess -= cut;
    }
  return totalOf([...widths.values()]) > width ? undefined : limits;
}

/** A longer word, such as a path, is broken. */
const LONGEST_WORD = 18;

function longestWordOf({ key, title }: Column, rows: readonly Row[]): number {
  const words = [title, ...rows.map((row) => row[key] ?? '')].flatMap((text) => text.split(' '));
  return Math.min(LONGEST_WORD, Math.max(...words.map((word) => word.length)));
}
