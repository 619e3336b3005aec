import { html, type Content, type Markup } from '../../report/html/markup.js';

/** A column of a list. */
export interface ListColumn<Row> {
  readonly key: string;
  readonly title: Content;
  readonly align?: 'left' | 'right';
  /** Whether a cell's text may go over several lines. */
  readonly wide?: boolean;
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
  const classOf = ({ align = 'left', wide = false }: ListColumn<Row>): string =>
    `${align}${wide ? ' wide' : ''}`;
  return html`<div class="scroll" role="group" aria-label="${label}" tabindex="0">
    <table class="list">
      <thead>
        <tr>
          ${columns.map((column) => html`<th scope="col" class="${classOf(column)}">${column.title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${columns.map((column) => html`<td class="${classOf(column)}">${column.of(row)}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}
