import { defined } from '../../base/defined.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { History } from '../../analysis/history/history.js';
import { extentText, thresholdsText } from '../../text/history/words.js';
import { chartIds, historyChart } from '../history/chart.js';
import { changes, reading, seriesTable } from '../history/parts.js';
import { facts } from '../html/grid.js';
import { html } from '../html/markup.js';
import { chartFigures } from '../html/sections/charts.js';
import { fragmentOf, type Fragment } from './fragment.js';

/**
 * The history of a suite for somebody else's page.
 *
 * @param history - of a suite, or of a part of it
 */
export function historyFragment(history: History): Fragment {
  const findings = historyFindings(history);
  const ids = chartIds(history.cells);
  const charts = history.cells.map((cell, index) => ({
    chart: historyChart(cell, history.runs, defined(ids[index], 'the id of a chart')),
  }));
  return fragmentOf([
    {
      id: 'changes',
      title: 'What changed',
      content: html`${facts([
        ['runs', extentText(history)],
        ['changes count from', thresholdsText(history)],
      ])}${changes(history, findings)}`,
    },
    { id: 'charts', title: 'Charts', content: html`<div class="gallery">${chartFigures(charts)}</div>` },
    { id: 'cells', title: 'Every series', content: seriesTable(history, ids, findings) },
    { id: 'reading', title: 'How to read this', content: reading() },
  ]);
}
