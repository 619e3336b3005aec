import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { foundBy, InputError } from '../base/errors.js';
import type { Analysis } from './analysis.js';
import { picturedCharts } from './charts/pictured.js';
import { htmlExporter } from './exporters/html.js';
import { exporters } from './exporters/list.js';

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
  if (basename(id) !== id || ['', '.', '..'].includes(id))
    throw new InputError({ source: 'run', found: `the id ${id}`, expected: 'an id that can name a folder' });
  const folder = join(directory, id);
  const files = new Map<string, string>();
  for (const exporter of exporters) files.set(fileOf(exporter), await exporter.render(analysis));
  for (const { chart, svg } of await picturedCharts(analysis))
    files.set(join('charts', `${chart.id}.svg`), svg);
  try {
    await mkdir(join(folder, 'charts'), { recursive: true });
    await removePictures(join(folder, 'charts'));
    for (const [name, text] of files) await writeFile(join(folder, name), text);
  } catch (error) {
    throw new InputError({
      source: folder,
      found: foundBy(error),
      expected: 'a folder that reports can be written to',
    });
  }
  return join(folder, fileOf(htmlExporter));
}

function fileOf({ extension }: { readonly extension: string }): string {
  return `report.${extension}`;
}

/** Charts that an earlier report had and this one has not would be taken for this one's. */
async function removePictures(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.endsWith('.svg')) await rm(join(folder, name));
}
