import { basename, join } from 'node:path';
import { InputError } from '../base/errors.js';
import { writeOutputs, type OutputContent } from '../base/output.js';
import type { Analysis } from '../analysis/analysis.js';
import { captions, captionsInLatex } from './charts/captions.js';
import { picturedCharts, type PicturedChart } from './charts/pictured.js';
import { chartFiles, type PrintFormat } from './charts/print.js';
import { htmlExporter } from './exporters/html.js';
import { allExporters } from './exporters/list.js';
import { page } from './html/page.js';
import { variantPages } from './picture/write.js';

/** What a report is written with. */
export interface ReportOptions {
  /** Formats of the charts beside SVG; PDFs come with `charts.tex`, which shows them with their captions. */
  readonly charts?: readonly PrintFormat[] | undefined;
  /** Whether each variant gets a page of its own, which runs it on some images. */
  readonly models?: boolean | undefined;
  /** The folder of the images for these, if they do not lie where they are looked for. */
  readonly data?: string | undefined;
}

/** What each chart shows and rests on. */
const CAPTIONS = 'charts/captions.md';

const CHARTS_IN_LATEX = 'charts/charts.tex';

/**
 * Writes the report of a run in every format, and its charts as SVG, into a folder of the run's own. What an earlier report
 * of the run left there is replaced.
 *
 * @param analysis - of the run
 * @param directory - where reports lie; it is made if it is not there
 * @param options - what else is written
 * @returns the path of the HTML page
 * @throws InputError when the folder cannot be written; DeviceError where charts are asked for that a browser draws, and there is none
 */
export async function writeReport(
  analysis: Analysis,
  directory: string,
  { charts: formats = [], models = false, data }: ReportOptions = {},
): Promise<string> {
  const { id } = analysis.run.row;
  const folder = folderCalled(directory, id, 'run');
  const charts = await picturedCharts(analysis);
  const files = new Map<string, OutputContent>();
  for (const exporter of allExporters()) files.set(fileOf(exporter), await exporter.render(analysis));
  if (charts.length > 0) files.set(CAPTIONS, captions(charts, analysis));
  for (const [path, bytes] of await chartFiles(charts, formats)) files.set(path, bytes);
  if (charts.length > 0 && formats.includes('pdf'))
    files.set(CHARTS_IN_LATEX, captionsInLatex(charts, analysis));
  if (models) {
    const pages = await variantPages(analysis, data);
    for (const { path, text } of pages) files.set(path, text);
    files.set(fileOf(htmlExporter), await page(analysis, charts, pages));
  }
  await writeFolder(folder, files, charts);
  return join(folder, fileOf(htmlExporter));
}

/**
 * The folder of a report.
 *
 * @param directory - where reports lie
 * @param name - of the folder: the id of a run, or what else it is about
 * @param source - what has that name, for the message
 * @throws InputError when it would not lie in the directory
 */
export function folderCalled(directory: string, name: string, source: string): string {
  if (basename(name) !== name || ['', '.', '..'].includes(name))
    throw new InputError({ source, found: `the id ${name}`, expected: 'an id that can name a folder' });
  return join(directory, name);
}

/**
 * Writes the files of a report, and its charts as SVG, into a folder of its own. Charts that an earlier report left there are
 * removed.
 *
 * @param folder - it is made if it is not there
 * @param files - by name
 * @param charts - with their pictures
 * @throws InputError when the folder cannot be written; ResourceError when the disk is full
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, OutputContent>,
  charts: readonly PicturedChart[],
): Promise<void> {
  const pictures = charts.map(({ chart, svg }) => [`charts/${chart.id}.svg`, svg] as const);
  await writeOutputs(folder, new Map<string, OutputContent>([...files, ...pictures]), { own: isOfReport });
}

/** The folder has a name of ours: files of these names are those of an earlier report. */
function isOfReport(name: string): boolean {
  return /^(report|history)\.\w+$|^charts\/.*\.(svg|png|pdf)$|^charts\/(captions\.md|charts\.tex)$|^models\/.*\.html$/.test(
    name,
  );
}

function fileOf({ extension }: { readonly extension: string }): string {
  return `report.${extension}`;
}
