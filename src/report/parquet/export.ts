import { join } from 'node:path';
import { writeOutputs } from '../../base/output.js';
import { installedVersion } from '../../base/paths.js';
import { withTemporaryFolder } from '../../base/temporary.js';
import type { Analysis } from '../../analysis/analysis.js';
import type { Db } from '../../store/open.js';
import { cellsView, predictionsView, samplesView } from '../../store/views/cells.js';
import { roundsView } from '../../store/views/rounds.js';
import { rowsOfView } from '../../store/views/rows.js';
import { devicesView, runsView } from '../../store/views/runs.js';
import type { View } from '../../store/views/view.js';
import { figureColumns } from '../figures/columns.js';
import { figureRows } from '../figures/rows.js';
import { openParquet, type ParquetRow } from './file.js';

/** Files of which each is a view: what a row is, and the view. */
const ofViews: readonly (readonly [name: string, view: View])[] = [
  ['runs', runsView],
  ['devices', devicesView],
  ['cells', cellsView],
  ['rounds', roundsView],
];

/** The same of views with so many rows that they are read run by run. */
const largeViews: readonly (readonly [name: string, view: View])[] = [
  ['samples', samplesView],
  ['predictions', predictionsView],
];

/** A file that was written. */
export interface ExportedFile {
  /** Its name within the folder. */
  readonly file: string;
  readonly rows: number;
}

/**
 * Writes runs as Parquet files: `runs`, `devices`, `cells`, `rounds`, `samples` and `predictions` as the views of the database have them,
 * and `figures` as the analysis does. All of them or none appear.
 *
 * @param db - open for reading
 * @param runs - their ids
 * @param analysisOf - computes the figures of a run
 * @param folder - it is made if it is not there
 * @param force - whether files that EdgeFlex did not write are replaced
 * @throws InputError when the folder cannot be written; ResourceError when the disk is full
 */
export async function exportParquet(
  db: Db,
  runs: readonly string[],
  analysisOf: (run: string) => Promise<Analysis>,
  folder: string,
  force: boolean,
): Promise<readonly ExportedFile[]> {
  return withTemporaryFolder('export', async (temporary) => {
    const written: ExportedFile[] = [];
    const write = async (
      name: string,
      columns: View['columns'],
      parts: AsyncIterable<readonly ParquetRow[]>,
    ): Promise<void> => {
      const file = `${name}.parquet`;
      const parquet = await openParquet(join(temporary, file), {
        name,
        columns,
        version: installedVersion(),
      });
      let rows = 0;
      for await (const part of parts) {
        parquet.add(part);
        rows += part.length;
      }
      parquet.close();
      written.push({ file, rows });
    };
    for (const [name, view] of ofViews) await write(name, view.columns, once(rowsOfView(db, view, runs)));
    await write(
      'figures',
      figureColumns,
      byRun(runs, async (run) => figureRows(await analysisOf(run))),
    );
    for (const [name, view] of largeViews)
      await write(
        name,
        view.columns,
        byRun(runs, (run) => rowsOfView(db, view, [run])),
      );
    const files = new Map(written.map(({ file }) => [file, { copyOf: join(temporary, file) }]));
    await writeOutputs(folder, files, { force });
    return written;
  });
}

async function* once(rows: Promise<readonly ParquetRow[]>): AsyncGenerator<readonly ParquetRow[]> {
  yield await rows;
}

async function* byRun(
  runs: readonly string[],
  rowsOf: (run: string) => Promise<readonly ParquetRow[]>,
): AsyncGenerator<readonly ParquetRow[]> {
  for (const run of runs) yield await rowsOf(run);
}
