import { join } from 'node:path';
import { Option } from 'commander';
import { analyse, type Analysis } from '../analysis/analysis.js';
import { listFloors } from '../store/floors.js';
import type { Db } from '../store/open.js';
import { findRun, loadRun } from '../store/read.js';
import { listRooflines } from '../store/rooflines.js';
import { announcedNewest } from './newest.js';

/** The option that says where results lie; every command that reads or writes them has it. */
export function resultsOption(): Option {
  return new Option('--results <directory>', 'where the results database lies').default('results');
}

/** The option that says where reports go. */
export function reportsOption(): Option {
  return new Option('--reports <directory>', 'where reports go, each in a folder of its own').default(
    'reports',
  );
}

/** The database of a results directory. */
export function databaseIn(results: string): string {
  return join(results, 'edgeflex.db');
}

/**
 * Every figure of a stored run.
 *
 * @param db - the store
 * @param id - the run's id or the beginning of it; undefined is the newest that has figures, which is then said on standard error
 * @throws InputError when there is no such run
 */
export async function storedAnalysis(db: Db, id: string | undefined): Promise<Analysis> {
  const run = await loadRun(db, await findRun(db, id ?? (await announcedNewest(db)).run.id));
  return analyse(run, await listFloors(db), await listRooflines(db));
}
