import type { QueryResult } from '../store/query.js';
import { integer, oneLine, significant } from './format.js';
import type { Table } from './table.js';

/** Digits of a number with decimals that a table shows. */
const DIGITS = 5;

/**
 * What a query gave, as a table for people: numbers rounded, nothing for null, and of bytes how many there are.
 *
 * @param result - of the query
 */
export function queryTable({ columns, rows, more }: QueryResult): Table {
  const isNumeric = (key: string): boolean =>
    rows.every((row) => row[key] === null || typeof row[key] === 'number');
  return {
    columns: columns.map((key) => ({ key, title: oneLine(key), align: isNumeric(key) ? 'right' : 'left' })),
    rows: rows.map((row) => Object.fromEntries(columns.map((key) => [key, shown(row[key])]))),
    notes: more ? [`The first ${integer(rows.length)} rows; there are more (--limit).`] : [],
  };
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return numberText(value);
  if (value instanceof Uint8Array) return `${integer(value.length)} bytes`;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function numberText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  // Six decimals would leave nothing of a very small number.
  return Math.abs(value) < 1e-3 ? value.toExponential(DIGITS - 1) : significant(value, DIGITS);
}
