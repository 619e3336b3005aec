import type { Estimate } from '../../stats/interval.js';
import * as format from '../../text/format.js';

/** What stands in a cell; undefined leaves it empty. */
export type Value = string | number | undefined;

/** Values by column. */
export type CsvRow = Readonly<Record<string, Value>>;

/**
 * Rows as CSV, RFC 4180, the first of which says the columns. A text that a spreadsheet would take for a formula begins with an
 * apostrophe.
 *
 * @param rows - values by column, all with the same columns
 * @param columns - in their order; left out, those of the first row
 */
export function csvText(rows: readonly CsvRow[], columns = Object.keys(rows[0] ?? {})): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

/**
 * Three columns of a figure: its value and the ends of its interval.
 *
 * @param name - of the figure
 * @param unit - at the end of the columns' names
 * @param figures - undefined where it is not known
 */
export function estimateColumns(name: string, unit: string, figures: Estimate | undefined): CsvRow {
  return {
    [`${name}_${unit}`]: figures?.value,
    [`${name}_low_${unit}`]: figures?.low,
    [`${name}_high_${unit}`]: figures?.high,
  };
}

/** What begins a formula in Excel, LibreOffice and Google Sheets; the last four are the same at full width. */
const FORMULA = /^[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** A text that programs read as a number, which is no formula whatever its sign. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * A text from outside as a cell shows it and nothing runs it: on one line, without control characters, and with an apostrophe before
 * what a spreadsheet would take for a formula (OWASP, "CSV Injection").
 */
function harmless(text: string): string {
  const clean = format.oneLine(text);
  return FORMULA.test(clean) && !NUMBER.test(clean) ? `'${clean}` : clean;
}

function quoted(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = harmless(value);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
