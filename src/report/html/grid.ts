import type { Table } from '../../text/table.js';
import { html, unbroken, type Content, type Markup } from './markup.js';

/** A column of a small table. */
export interface GridColumn {
  readonly title: Content;
  readonly align?: 'left' | 'right';
  /** Whether a cell's text may go over several lines. */
  readonly wide?: boolean;
}

/** What else a small table may have. */
export interface GridOptions {
  /** What it is a table of, for readers who do not see it. */
  readonly label?: string;
  /** A class of its own. */
  readonly kind?: string;
}

/**
 * A small table.
 *
 * @param columns - titles and sides
 * @param rows - as many contents each as there are columns
 * @param options - what else it has
 */
export function grid(
  columns: readonly GridColumn[],
  rows: readonly (readonly Content[])[],
  { label, kind }: GridOptions = {},
): Markup {
  const classOf = (column: GridColumn | undefined): string =>
    `${column?.align ?? 'left'}${column?.wide ? ' wide' : ''}`;
  const group = label === undefined ? undefined : html` role="group" aria-label="${label}"`;
  return html`<div class="scroll" tabindex="0"${group}>
    <table${kind === undefined ? undefined : html` class="${kind}"`}>
      <thead>
        <tr>
          ${columns.map((column) =>
            column.title === ''
              ? html`<td></td>`
              : html`<th class="${classOf(column)}" scope="col">${column.title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((content, index) => html`<td class="${classOf(columns[index])}">${content}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * A table that the terminal and Markdown show, too, with its notes below.
 *
 * @param table - what to show
 */
export function gridOf({ columns, rows, notes }: Table): Markup {
  return html`${grid(
    columns,
    rows.map((row) => columns.map(({ key }) => row[key] ?? '')),
  )}
  ${
    notes.length === 0
      ? undefined
      : html`<ul class="notes">
          ${notes.map((note) => html`<li>${unbroken(note)}</li> `)}
        </ul>`
  }`;
}

/**
 * Names and what they stand for, one below the other.
 *
 * @param entries - those without a content are left out
 */
export function facts(entries: readonly (readonly [string, Content])[]): Markup {
  return html`<dl class="facts">
    ${entries
      .filter(([, content]) => content !== undefined && content !== '')
      .map(
        ([name, content]) =>
          html`<dt>${name}</dt>
            <dd>${content}</dd> `,
      )}
  </dl>`;
}
