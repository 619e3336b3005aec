import { defined } from '../../base/defined.js';
import type { HistoryFindings } from '../../analysis/history/findings.js';
import type { History, Series } from '../../analysis/history/history.js';
import { closing, metricNames, paragraphs, rangeText, sizeText } from '../../text/history/words.js';
import { quantity } from '../../text/compare/words.js';
import { definitions, type Term } from '../html/definitions.js';
import { grid } from '../html/grid.js';
import { html, unbroken, type Markup } from '../html/markup.js';

/**
 * What changed, by headings.
 *
 * @param history - of a suite
 * @param findings - what it says
 */
export function changes(history: History, findings: HistoryFindings): Markup {
  return html`${paragraphs(history, findings).map(
    ({ title, lines }) =>
      html`<h3>${title}</h3>
        <ul class="findings">
          ${lines.map((line) => html`<li>${unbroken(line)}.</li> `)}
        </ul> `,
  )}${closing(history, findings).map((sentence) => html`<p>${unbroken(sentence)}</p> `)}`;
}

/**
 * Every series of a history.
 *
 * @param history - of a suite
 * @param ids - of the charts of its cells on the page, in the same order
 * @param findings - what it says
 */
export function seriesTable(history: History, ids: readonly string[], { worseNow }: HistoryFindings): Markup {
  return grid(
    [
      ...[{ title: 'cell' }, { title: 'figure' }, { title: 'setting since' }],
      ...[
        { title: 'runs', align: 'right' as const },
        { title: 'first', align: 'right' as const },
      ],
      ...[{ title: 'newest', align: 'right' as const }, { title: 'newest change' }],
    ],
    history.cells.flatMap((cell, index) =>
      cell.series.map((series) => {
        const first = defined(series.points[0], 'the first point of a series');
        const last = defined(series.points.at(-1), 'the last point of a series');
        const mark = series.current && worseNow.includes(cell) ? html` <b>worse now</b>` : undefined;
        return [
          html`<a href="#${defined(ids[index], 'the chart of a cell')}">${cell.name}</a>`,
          metricNames[cell.metric],
          first.run.startedAt.slice(0, 10),
          series.points.length,
          quantity(cell.metric, first.estimate.value),
          quantity(cell.metric, last.estimate.value),
          [newestText(cell.metric, series), mark],
        ];
      }),
    ),
  );
}

function newestText(metric: History['cells'][number]['metric'], { changes: found, slow }: Series): string {
  const change = found.findLast(({ doubt }) => doubt === undefined);
  return [
    ...(change
      ? [`${sizeText(metric, change.size.value)} in ${rangeText(change.lastBefore, change.firstAfter)}`]
      : []),
    ...(slow ? [`slow drift: ${sizeText(metric, slow.size)} over all runs`] : []),
  ].join('; ');
}

const terms: readonly Term[] = [
  [
    'point',
    'One run. Latency: the geometric mean of the medians of the run’s rounds, with Student’s 95 % interval over the rounds; peak memory likewise. Top-1 with Wilson’s interval, the mean cosine to fp32 with Student’s over the images.',
  ],
  [
    'order',
    'Runs are ordered by the time of their commits; runs of the same commit, and runs outside a repository, by their start. An asterisk marks a run with uncommitted changes.',
  ],
  [
    'level',
    'The dark line: where a piecewise constant fit sees no change. A change point is where one level ends; its range of commits goes from the last run of one level to the first of the next: the commit that caused it comes after the former and is at latest the latter, with the probability that the points of both levels give it (Smith’s posterior of a change point); where that is less than 95 %, a wider range is given, too.',
  ],
  [
    'regression',
    'A level that is worse than the one before: significant, at least as large as the threshold, held by at least two runs, and between different commits. A single outlier that returns to the level does not count.',
  ],
  [
    'slow change',
    'A steady trend (Mann–Kendall, after Holm’s correction over all series) that exceeds the threshold although no single step does.',
  ],
  [
    'setting',
    'Processor, threads, system, libraries, session options, dataset, how many test images are scored, and the neighbours that vote for a model without a head. When one of them changes, a new series begins: a new machine is not a regression.',
  ],
];

/** What the words of a history mean. */
export function reading(): Markup {
  return definitions(terms);
}
