import type { Analysis } from '../../../analysis/analysis.js';
import { findingsOf } from '../../../text/findings.js';
import { mainTable, PUBLISHED, type Column, type MainTable, type RowState } from '../../../text/table.js';
import { TOOLS_ID, VALUES_ID } from '../../behaviour/ids.js';
import { embeddedJson, html, unbroken, type Markup } from '../markup.js';
import { warnings } from './warnings.js';

/**
 * The main table, what went wrong, and what the table says in words.
 *
 * @param analysis - of a run
 */
export function results(analysis: Analysis): Markup {
  const table = mainTable(analysis);
  return html`${warnings(analysis)}${tools(table.columns)}
    <div
      class="scroll framed"
      tabindex="0"
      role="group"
      aria-label="Results, a line for each variant and batch size"
    >
      ${mainTableOf(table)}
    </div>
    <script type="application/json" id="${VALUES_ID}">
      ${embeddedJson(table.states.map(({ values }) => values))}
    </script>
    ${findings(analysis)}
    <details class="notes-box">
      <summary>${table.notes.length} notes: what the figures are, and what went wrong</summary>
      <ul class="notes">
        ${table.notes.map((note) => html`<li>${unbroken(note)}</li> `)}
      </ul>
    </details>`;
}

function mainTableOf({ columns, rows, states }: MainTable): Markup {
  return html`<table class="main-table">
    <thead>
      <tr>
        ${columns.map(({ key, title, align }) => html`<th class="${align}" scope="col" data-key="${key}">${unbroken(title)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map((row, index) => {
        const state = states[index];
        return html`<tr
          class="${classOf(state)}"
          data-series="${state?.mark === 'published' ? '' : state?.series}"
          data-name="${state?.name}"
        >
          ${columns.map(({ key, align }) =>
            key === 'variant'
              ? html`<th class="${align}" scope="row">${nameOf(state)}</th>`
              : html`<td class="${align}">${row[key]}</td>`,
          )}
        </tr> `;
      })}
    </tbody>
  </table>`;
}

/** Rows are sorted and filtered, so that each has its name; what is published stands below the variant that it is of. */
function nameOf(state: RowState | undefined): string {
  if (state === undefined) return '';
  return state.mark === 'published' ? PUBLISHED : state.name;
}

function classOf(state: RowState | undefined): string {
  return [state?.first ? 'first' : '', state?.mark ?? ''].filter((name) => name !== '').join(' ');
}

function tools(columns: readonly Column[]): Markup {
  return html`<div id="${TOOLS_ID}" class="tools" hidden>
    <label>Filter <input type="search" placeholder="a variant, a verdict" /></label>
    <details class="choice">
      <summary>Columns</summary>
      <fieldset>
        <legend>Columns that are shown</legend>
        ${columns
          .filter(({ key }) => key !== 'variant')
          .map(
            ({ key, title, spare }) =>
              html`<label
                ><input type="checkbox" value="${key}" checked ${spareOf(spare)} /> ${unbroken(title)}</label
              > `,
          )}
        <button type="button" value="all">All</button>
        <button type="button" value="fit">Those that fit</button>
      </fieldset>
    </details>
    <output></output>
  </div>`;
}

function spareOf(spare: number | undefined): Markup | undefined {
  return spare === undefined ? undefined : html`data-spare="${spare}"`;
}

function findings(analysis: Analysis): Markup | undefined {
  const found = findingsOf(analysis);
  if (found.length === 0) return undefined;
  return html`<details>
    <summary>Every variant in a line, compared with fp32</summary>
    <ul class="findings">
      ${found.map(({ variant, text }) => html`<li><b>${variant}</b>: ${unbroken(text)}.</li> `)}
    </ul>
  </details>`;
}
