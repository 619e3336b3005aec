import * as format from '../text/format.js';
import { newestRun, type NewestRun } from '../store/newest.js';
import type { Db } from '../store/open.js';
import type { RunSummary } from '../store/read.js';

/**
 * The run that is meant where none is named, after saying on standard error what else might have been: newer runs that were passed
 * over, and cells of this one that failed or are missing.
 *
 * @param db - the store
 * @param suite - of the run; undefined: of any
 * @throws InputError when there is no run
 */
export async function announcedNewest(db: Db, suite?: string): Promise<NewestRun> {
  const newest = await newestRun(db, suite);
  const { run, passedOver } = newest;
  if (passedOver.length > 0 || run.state !== 'complete')
    console.error(
      `run ${run.id} of ${format.moment(run.startedAt)} is taken: ${stateText(run)}` +
        passedOver.map((each) => `\n  passed over: ${each.id}, ${stateText(each)}`).join(''),
    );
  return newest;
}

/** How far a run is, in words. */
export function stateText({ state, done, failed, cells, holder }: RunSummary): string {
  switch (state) {
    case 'complete':
      return 'complete';
    case 'partly failed':
      return `${failed} of its ${cells} cells failed`;
    case 'failed':
      return cells === 0
        ? 'ended without a cell'
        : `nothing was measured, ${failed} of its ${cells} cells failed`;
    case 'unfinished':
      return `unfinished, ${done} of its ${cells} cells are measured`;
    case 'running':
      return `going on (process ${holder?.pid} on ${holder?.host}), ${done} of its ${cells} cells are measured`;
  }
}
