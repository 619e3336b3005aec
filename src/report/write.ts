import { basename, join } from 'node:path';
import { InputError } from '../base/errors.js';
import { writeOutputs } from '../base/output.js';
import type { Analysis } from '../analysis/analysis.js';
import { picturedCharts, type PicturedChart } from './charts/pictured.js';
import { htmlExporter } from './exporters/html.js';
import { allExporters } from './exporters/list.js';

/**
 * Writes the report of a run in every format, and its charts as SVG, into a folder of the run's own. What an earlier report
 * of the run left there is replaced.
 *
 * @param analysis - of the run
 * @param directory - where reports lie; it is made if it is not there
 * @returns the path of the HTML page
 * @throws InputError when the folder cannot be written
 */
export async function writeReport(analysis: Analysis, directory: string): Promise<string> {
  const { id } = analysis.run.row;
  const folder = folderCalled(directory, id, 'run');
  const files = new Map<string, string>();
  for (const exporter of allExporters()) files.set(fileOf(exporter), await exporter.render(analysis));
  await writeFolder(folder, files, await picturedCharts(analysis));
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
 * @param files - texts by name
 * @param charts - with their pictures
 * @throws InputError when the folder cannot be written; ResourceError when the disk is full
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, string>,
  charts: readonly PicturedChart[],
): Promise<void> {
  const pictures = charts.map(({ chart, svg }) => [`charts/${chart.id}.svg`, svg] as const);
  await writeOutputs(folder, new Map([...files, ...pictures]), { own: isOfReport });
}

/** The folder has a name of ours: files of these names are those of an earlier report. */
function isOfReport(name: string): boolean {
  return /^(report|history)\.\w+$|^charts\/.*\.svg$/.test(name);
}

function fileOf({ extension }: { readonly extension: string }): string {
  return `report.${extension}`;
}
