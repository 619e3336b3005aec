import { defined } from '../../base/defined.js';
import type { Hosting } from '../../base/hosting.js';
import { writeOutputs, type OutputContent } from '../../base/output.js';
import { installedVersion } from '../../base/paths.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { CellHistory, History } from '../../analysis/history/history.js';
import { quantity } from '../../text/compare/words.js';
import { siteStatusText } from '../../text/history/site.js';
import { metricNames } from '../../text/history/words.js';
import { drawAll } from '../charts/pictured.js';
import { chartIds, historyChart } from '../history/chart.js';
import { historyDocument } from '../history/document.js';
import { badge } from './badge.js';
import { indexPage, modelPage, statusBadge } from './pages.js';
import { sitePages, type SitePage } from './split.js';

/**
 * Writes histories as a static site: an index, a page and a JSON file for each model on each device, and badges as SVG. It needs no server and no
 * other host. What an earlier site left there is replaced.
 *
 * @param histories - one of each suite
 * @param folder - it is made if it is not there
 * @param hosting - where commits can be looked at
 * @param force - whether files that EdgeFlex did not write are replaced, too
 * @returns how many pages there are besides the index
 * @throws InputError when the folder cannot be written; ResourceError when the disk is full
 */
export async function writeSite(
  histories: readonly History[],
  folder: string,
  hosting: Hosting,
  force: boolean,
): Promise<number> {
  const version = installedVersion();
  const pages = sitePages(histories);
  // Without this file GitHub Pages takes a site for the source of one.
  const files = new Map<string, OutputContent>([['.nojekyll', '']]);
  for (const page of pages)
    for (const [name, content] of await filesOf(page, hosting, version)) files.set(name, content);
  files.set('index.html', indexPage(pages, hosting, version));
  const worse = pages.reduce((sum, { history }) => sum + historyFindings(history).worseNow.length, 0);
  files.set('badges/index.svg', badge('EdgeFlex', siteStatusText(worse), worse > 0 ? 'bad' : 'good'));
  await writeOutputs(folder, files, { force });
  return pages.length;
}

async function filesOf(
  page: SitePage,
  hosting: Hosting,
  version: string,
): Promise<[name: string, content: string][]> {
  const { slug, history } = page;
  const ids = chartIds(history.cells);
  const charts = await drawAll(
    history.cells.map((cell, index) =>
      historyChart(cell, history.runs, defined(ids[index], 'the id of a chart')),
    ),
    false,
  );
  const { worseNow } = historyFindings(history);
  const badges = history.cells.map((cell, index) => ({
    name: `${slug}-${defined(ids[index], 'the id of a chart')}.svg`,
    svg: valueBadge(cell, worseNow.includes(cell)),
  }));
  return [
    [`${slug}.html`, modelPage(page, charts, badges, hosting, version)],
    [`${slug}.json`, `${JSON.stringify(historyDocument(history), null, 2)}\n`],
    [`badges/${slug}.svg`, statusBadge(page)],
    ...badges.map(({ name, svg }): [string, string] => [`badges/${name}`, svg]),
  ];
}

/** The newest figure of a cell. */
function valueBadge({ name, metric, series }: CellHistory, isWorse: boolean): string {
  const newest = series.find(({ current }) => current)?.points.at(-1)?.estimate.value;
  const value = newest === undefined ? 'unknown' : quantity(metric, newest);
  return badge(`${name} ${metricNames[metric]}`, value, isWorse ? 'bad' : 'plain');
}
