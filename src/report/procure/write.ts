import { join } from 'node:path';
import { installedVersion } from '../../base/paths.js';
import { writeOutputs, type OutputContent } from '../../base/output.js';
import { decisionOf } from '../../analysis/procure/decision.js';
import type { Procurement } from '../../analysis/procure/procurement.js';
import { chartFiles, type PrintFormat } from '../charts/print.js';
import { drawAll } from '../charts/pictured.js';
import { procurementCharts } from './charts.js';
import { procurementCsv } from './csv.js';
import { procurementDocument } from './document.js';
import { procurementMarkdown } from './markdown.js';
import { procurementPage } from './page.js';

/**
 * Writes a procurement as a page, Markdown, CSV and JSON, and its charts as SVG.
 *
 * @param procurement - what was found
 * @param folder - it is made if it is not there
 * @param options - whether files there that EdgeFlex did not write are replaced; formats of the charts beside SVG
 * @returns the paths of the files, the page first
 * @throws InputError when the folder cannot be written, or has a file of these names that EdgeFlex did not write; ResourceError when the
 *   disk is full; DeviceError where charts are asked for that a browser draws, and there is none
 */
export async function writeProcurement(
  procurement: Procurement,
  folder: string,
  options: { readonly force?: boolean; readonly charts?: readonly PrintFormat[] } = {},
): Promise<string[]> {
  const charts = await drawAll(procurementCharts(procurement, decisionOf(procurement)));
  const files = new Map<string, OutputContent>([
    ['procurement.html', await procurementPage(procurement, charts, installedVersion())],
    ['procurement.md', procurementMarkdown(procurement)],
    ['procurement.csv', procurementCsv(procurement)],
    ['procurement.json', `${JSON.stringify(procurementDocument(procurement), null, 2)}\n`],
    ...charts.map(({ chart, svg }) => [`charts/${chart.id}.svg`, svg] as const),
    ...(await chartFiles(charts, options.charts ?? [])),
  ]);
  await writeOutputs(folder, files, { force: options.force ?? false });
  return [...files.keys()].map((name) => join(folder, name));
}
