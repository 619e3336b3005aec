import { failureText } from '../../../text/failures.js';
import type { Analysis } from '../../../analysis/analysis.js';
import { findingsOf } from '../../../text/findings.js';
import { flagsText, signOf } from '../../../text/flags.js';
import * as format from '../../../text/format.js';
import { labelOf } from '../../../analysis/label.js';
import { mainTable, type RowState } from '../../../text/table.js';
import { html, unbroken, type Markup } from '../markup.js';

/** So many doubts stand before the table; more would hide it, and are folded. */
const MOST_IN_SIGHT = 5;

/**
 * The main table, what it says in words, and what went wrong.
 *
 * @param analysis - of a run
 */
export function results(analysis: Analysis): Markup {
  const { columns, rows, states, notes } = mainTable(analysis);
  return html`${warnings(analysis)}${findings(analysis)}
    <div class="scroll">
      <table class="main-table">
        <thead>
          <tr>
            ${columns.map(({ title, align }) => html`<th class="${align}" scope="col">${unbroken(title)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row, index) =>
              html`<tr class="${classOf(states[index])}">
                ${columns.map(({ key, align }) => html`<td class="${key === 'published' ? 'wide' : align}">${row[key]}</td>`)}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    <ul class="notes">
      ${notes.map((note) => html`<li>${unbroken(note)}</li> `)}
    </ul>`;
}

function classOf(state: RowState | undefined): string {
  return [state?.first ? 'first' : '', state?.mark ?? ''].filter((name) => name !== '').join(' ');
}

function findings(analysis: Analysis): Markup {
  const found = findingsOf(analysis);
  if (found.length === 0) return html``;
  return html`<p>In short, compared with fp32:</p>
    <ul class="findings">
      ${found.map(({ variant, text }) => html`<li><b>${variant}</b>: ${unbroken(text)}.</li> `)}
    </ul>`;
}

function warnings(analysis: Analysis): Markup {
  const failures = analysis.figures.flatMap((figures) =>
    figures.failures.map((failure) => ({ ...failure, name: labelOf(figures, analysis) })),
  );
  const flagged = analysis.figures.flatMap((figures) =>
    figures.latencies
      .filter(({ flags }) => flags.length > 0)
      .map((latency) => ({ ...latency, name: labelOf(figures, analysis) })),
  );
  const doubts = html`<ul>
    ${flagged.map(
      ({ name, batch, flags }) =>
        html`<li>${signOf(flags)} <b>${name}</b>, batch ${batch}: ${unbroken(flagsText(flags))}</li> `,
    )}
  </ul>`;
  const latencies = analysis.figures.reduce((sum, figures) => sum + figures.latencies.length, 0);
  const folded = html`<details>
    <summary>${flagged.length} of ${latencies} latencies: details</summary>
    ${doubts}
  </details>`;
  return html`${
    failures.length > 0
      ? html`<div class="banner failed">
          <b>What could not be measured</b>
          <ul>
            ${failures.map(
              ({ name, kind, batch, status, reason }) =>
                html`<li>
                  <b>${name}</b>, ${kind}, batch ${batch}:
                  ${status === 'unsupported' ? 'not supported here, because ' : ''}${format.oneLine(failureText(reason))}
                </li> `,
            )}
          </ul>
        </div>`
      : undefined
  }${
    flagged.length > 0
      ? html`<div class="banner flagged">
          <b>In doubt</b>: something disturbed these measurements, so they are less certain than their
          intervals suggest. ${flagged.length > MOST_IN_SIGHT ? folded : doubts}
        </div>`
      : undefined
  }${
    analysis.pending > 0
      ? html`<div class="banner pending"><b>Not finished</b>: ${format.pendingCells(analysis.pending)}</div>`
      : undefined
  }`;
}
