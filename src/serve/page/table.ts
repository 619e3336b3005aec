import { grid, type GridColumn } from '../../report/html/grid.js';
import type { Content, Markup } from '../../report/html/markup.js';

/** A column of a list. */
export interface ListColumn<Row> extends GridColumn {
  readonly key: string;
  readonly of: (row: Row) => Content;
}

/**
 * A list as a table, whose first column names its rows.
 *
 * @param label - what it is a list of
 * @param columns - in order
 * @param rows - in order
 */
export function list<Row>(label: string, columns: readonly ListColumn<Row>[], rows: readonly Row[]): Markup {
  return grid(
    columns,
    rows.map((row) => columns.map(({ of }) => of(row))),
    { label, kind: 'list' },
  );
}
