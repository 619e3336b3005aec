import { defined } from '../../base/defined.js';
import { definitions, type Term } from '../html/definitions.js';
import type { PicturedChart } from '../charts/pictured.js';
import { framed } from '../html/frame.js';
import { facts, grid } from '../html/grid.js';
import { html, unbroken, type Markup } from '../html/markup.js';
import { chartFigures } from '../html/sections/charts.js';
import { historyFindings, type HistoryFindings } from '../../analysis/history/findings.js';
import type { History, Series } from '../../analysis/history/history.js';
import {
  closing,
  extentText,
  metricNames,
  paragraphs,
  rangeText,
  sizeText,
  thresholdsText,
} from '../../text/history/words.js';
import { quantity } from '../../text/compare/words.js';

/**
 * The history of a suite as one page that needs nothing but itself.
 *
 * @param history - of the suite
 * @param charts - one for each of its cells, in the same order
 * @param version - of EdgeFlex
 * @returns an HTML document
 * @throws the file system's error when a library of the charts is not installed as it should be
 */
export async function historyPage(
  history: History,
  charts: readonly PicturedChart[],
  version: string,
): Promise<string> {
  const findings = historyFindings(history);
  return framed({
    title: `EdgeFlex: history of ${history.suite}`,
    header: (links) =>
      html`<header>
        <p class="soft">EdgeFlex history</p>
        <h1>${history.suite}: ${extentText(history)}</h1>
        ${facts([
          ['changes count from', thresholdsText(history)],
          ['worse now', String(findings.worseNow.length)],
        ])}
        <nav>${links.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>
      </header>`,
    sections: [
      { id: 'changes', title: 'What changed', content: changes(history, findings) },
      { id: 'charts', title: 'Charts', content: html`<div class="gallery">${chartFigures(charts)}</div>` },
      { id: 'cells', title: 'Every series', content: table(history, charts, findings) },
      { id: 'reading', title: 'How to read this', content: reading() },
    ],
    closing: html`Written by EdgeFlex ${version} from its results database. The same figures for programs:
      <a href="history.json">JSON</a>; as text: <a href="history.md">Markdown</a>; the charts are in
      <code>charts/</code> as SVG.`,
  });
}

function changes(history: History, findings: HistoryFindings): Markup {
  return html`${paragraphs(history, findings).map(
    ({ title, lines }) =>
      html`<h3>${title}</h3>
        <ul class="findings">
          ${lines.map((line) => html`<li>${unbroken(line)}.</li> `)}
        </ul> `,
  )}${closing(history, findings).map((sentence) => html`<p>${unbroken(sentence)}</p> `)}`;
}

function table(history: History, charts: readonly PicturedChart[], { worseNow }: HistoryFindings): Markup {
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
          html`<a href="#${defined(charts[index], 'the chart of a cell').chart.id}">${cell.name}</a>`,
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

function reading(): Markup {
  return definitions(terms);
}
