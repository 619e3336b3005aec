import * as format from '../../text/format.js';
import type { NewestRun } from '../../store/newest.js';
import { stateText } from '../../text/run-state.js';
import { remark } from '../output/screen.js';

/**
 * Says on standard error which run was taken where none was named: newer runs that were passed over, and cells of this one that failed
 * or are missing. Where there is nothing of the kind nothing is said.
 *
 * @param newest - the run; undefined where one was named
 */
export function announce(newest: NewestRun | undefined): void {
  if (newest === undefined) return;
  const { run, passedOver } = newest;
  if (passedOver.length > 0 || run.state !== 'complete')
    remark(
      `using run ${run.id}, started ${format.moment(run.startedAt)}: ${stateText(run)}` +
        passedOver.map((each) => `\n  skipped: ${each.id}, ${stateText(each)}`).join(''),
    );
}
