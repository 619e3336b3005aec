import { defined } from '../../base/defined.js';
import { join } from 'node:path';
import { installedVersion } from '../../base/paths.js';
import type { OutputContent } from '../../base/output.js';
import { chartFiles, type PrintFormat } from '../charts/print.js';
import { drawAll } from '../charts/pictured.js';
import { folderCalled, writeFolder } from '../write.js';
import { chartIds, historyChart } from './chart.js';
import { historyDocument } from './document.js';
import type { History } from '../../analysis/history/history.js';
import { historyMarkdown } from '../../text/history/markdown.js';
import { historyPage } from './page.js';

/**
 * Writes the history of a suite, as a page, Markdown and JSON, and its charts as SVG, into a folder of the suite's own. What an
 * earlier one left there is replaced.
 *
 * @param history - of the suite
 * @param directory - where reports lie; it is made if it is not there
 * @param formats - of the charts beside SVG
 * @returns the path of the HTML page
 * @throws InputError when the folder cannot be written, or the suite's name names none; DeviceError without the browser that draws such charts
 */
export async function writeHistory(
  history: History,
  directory: string,
  formats: readonly PrintFormat[] = [],
): Promise<string> {
  const ids = chartIds(history.cells);
  const charts = await drawAll(
    history.cells.map((cell, index) =>
      historyChart(cell, history.runs, defined(ids[index], 'the id of a chart')),
    ),
  );
  const folder = folderCalled(directory, `history-${history.suite}`, 'suite');
  const page = 'history.html';
  await writeFolder(
    folder,
    new Map<string, OutputContent>([
      [page, await historyPage(history, charts, installedVersion())],
      ['history.md', historyMarkdown(history)],
      ['history.json', `${JSON.stringify(historyDocument(history), null, 2)}\n`],
      ...(await chartFiles(charts, formats)),
    ]),
    charts,
  );
  return join(folder, page);
}
