import { z } from 'zod';
import { exportParquet, type ExportedFile } from '../report/parquet/export.js';
import { noRun } from '../store/newest.js';
import { findRun, listRuns } from '../store/read.js';
import { analyse } from './analyse.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** What is exported. */
export interface ExportOptions {
  /** Ids of runs, or the beginnings of ids; left out or empty, all of them. */
  readonly runs?: readonly string[] | undefined;
  /** Whether files in the folder that EdgeFlex did not write are replaced. */
  readonly force?: boolean | undefined;
}

const optionsSchema = z.strictObject({
  runs: z.array(z.string()).default([]),
  force: z.boolean().default(false),
});

/**
 * Writes runs as Parquet files, with types, units and meanings of the columns in their metadata: `runs`, `devices`, `cells`, `rounds`,
 * `figures`, `samples` and `predictions`.
 *
 * @param results - open, or their folder
 * @param directory - where the files go; it is made where it is missing
 * @param options - which runs
 * @returns the files, and how many rows each has
 * @throws InputError when there is no such run, or the folder cannot be written; ResourceError when the disk is full
 *
 * @example
 * ```ts
 * for (const { file, rows } of await exportRuns('results', 'parquet')) console.log(file, rows);
 * ```
 */
export async function exportRuns(
  results: Results | string,
  directory: string,
  options: ExportOptions = {},
): Promise<readonly ExportedFile[]> {
  const { runs, force } = checkedOptions('exportRuns', options, optionsSchema);
  return withResults(results, { readonly: true }, async (opened) => {
    const { db } = opened;
    const found =
      runs.length === 0 ? await listRuns(db) : await Promise.all(runs.map((run) => findRun(db, run)));
    const ids = [...new Set(found.map(({ id }) => id))];
    if (ids.length === 0) throw noRun();
    return exportParquet(db, ids, async (id) => (await analyse(opened, id)).analysis, directory, force);
  });
}
