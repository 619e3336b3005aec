import { failureText } from '../../../text/failures.js';
import type { Analysis } from '../../../analysis/analysis.js';
import { flagsText, signOf } from '../../../text/flags.js';
import * as format from '../../../text/format.js';
import { labelOf } from '../../../analysis/label.js';
import { html, unbroken, type Markup } from '../markup.js';

/**
 * What a reader must be warned of, behind one line: what could not be measured, what is in doubt, what is missing.
 *
 * @param analysis - of a run
 * @returns undefined where there is nothing
 */
export function warnings(analysis: Analysis): Markup | undefined {
  const failures = analysis.figures.flatMap((figures) =>
    figures.failures.map((failure) => ({ ...failure, name: labelOf(figures, analysis) })),
  );
  const [failed, unsupported] = (['failed', 'unsupported'] as const).map((status) =>
    failures.filter((each) => each.status === status),
  );
  const flagged = analysis.figures.flatMap((figures) =>
    figures.latencies
      .filter(({ flags }) => flags.length > 0)
      .map((latency) => ({ ...latency, name: labelOf(figures, analysis) })),
  );
  const latencies = analysis.figures.reduce((sum, figures) => sum + figures.latencies.length, 0);
  const groups = [
    {
      line: failed?.length ? `✗ ${cells(failed.length)} failed` : undefined,
      title: 'What could not be measured',
      items: failed?.map(
        ({ name, kind, batch, reason }) =>
          html`<b>${name}</b>, ${kind}, batch ${batch}: ${format.oneLine(failureText(reason))}`,
      ),
    },
    {
      line: unsupported?.length ? `∅ ${cells(unsupported.length)} not supported` : undefined,
      title: 'What the device does not support',
      items: unsupported?.map(
        ({ name, kind, batch, reason }) =>
          html`<b>${name}</b>, ${kind}, batch ${batch}: not supported here, because
            ${format.oneLine(failureText(reason))}`,
      ),
    },
    {
      line: flagged.length > 0 ? `⚑ ${flagged.length} of ${latencies} latencies in doubt` : undefined,
      title:
        'In doubt: something disturbed these measurements, so they are less certain than their intervals suggest',
      items: flagged.map(
        ({ name, batch, flags }) =>
          html`${signOf(flags)} <b>${name}</b>, batch ${batch}: ${unbroken(flagsText(flags))}`,
      ),
    },
    {
      line: analysis.pending > 0 ? `${cells(analysis.pending)} not measured yet` : undefined,
      title: 'Not finished',
      items: [html`${format.pendingCells(analysis.pending)}`],
    },
  ].filter(({ line }) => line !== undefined);
  if (groups.length === 0) return undefined;
  return html`<details class="banner ${failed?.length ? 'failed' : 'flagged'}">
    <summary>${groups.map(({ line }) => line).join(' · ')}</summary>
    ${groups.map(
      ({ title, items }) =>
        html`<p><b>${title}</b></p>
          <ul>
            ${items?.map((item) => html`<li>${item}</li> `)}
          </ul>`,
    )}
  </details>`;
}

function cells(count: number): string {
  return `${format.integer(count)} ${count === 1 ? 'cell' : 'cells'}`;
}
