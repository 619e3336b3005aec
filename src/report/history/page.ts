import type { PicturedChart } from '../charts/pictured.js';
import { framed } from '../html/frame.js';
import { facts } from '../html/grid.js';
import { html } from '../html/markup.js';
import { chartFigures } from '../html/sections/charts.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { History } from '../../analysis/history/history.js';
import { extentText, thresholdsText } from '../../text/history/words.js';
import { changes, reading, seriesTable } from './parts.js';

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
      {
        id: 'cells',
        title: 'Every series',
        content: seriesTable(
          history,
          charts.map(({ chart: { id } }) => id),
          findings,
        ),
      },
      { id: 'reading', title: 'How to read this', content: reading() },
    ],
    closing: html`Written by EdgeFlex ${version} from its results database. The same figures for programs:
      <a href="history.json">JSON</a>; as text: <a href="history.md">Markdown</a>; the charts are in
      <code>charts/</code> as SVG.`,
  });
}
