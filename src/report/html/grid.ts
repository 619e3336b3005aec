import type { Table } from '../../text/table.js';
import { html, unbroken, type Content, type Markup } from './markup.js';

/** A column of a small table. */
export interface GridColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * A small table.
 *
 * @param columns - titles and sides
 * @param rows - as many contents each as there are columns
 */
export function grid(columns: readonly GridColumn[], rows: readonly (readonly Content[])[]): Markup {
  const side = (index: number): string => columns[index]?.align ?? 'left';
  return html`<div class="scroll" tabindex="0">
    <table>
      <thead>
        <tr>
          ${columns.map(({ title }, index) =>
            title === '' ? html`<td></td>` : html`<th class="${side(index)}" scope="col">${title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((content, index) => html`<td class="${side(index)}">${content}</td>`)}
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
