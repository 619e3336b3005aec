import type { Stopping } from '../store/stopping.js';
import type { Analysis } from '../analysis/analysis.js';
import * as format from './format.js';
import { labelOf } from '../analysis/label.js';

/**
 * How well a speed is known, and what that took: `0.8 % (14)`, `2.1 % (30, cap)`.
 *
 * @param stopping - of the cell
 * @param rounds - that it got
 */
export function precisionText({ reason, reached }: Stopping, rounds: number): string {
  const half = reached === null ? format.NONE : `${shareText(reached)} %`;
  return `${half} (${rounds}${reason === 'cap' ? ', cap' : ''})`;
}

/**
 * What became of the precision that a run was asked for.
 *
 * @param analysis - of a run
 * @returns a sentence or two; undefined where none was asked for
 */
export function precisionNote(analysis: Analysis): string | undefined {
  const stopped = analysis.figures.flatMap((figures) =>
    figures.latencies.flatMap(({ batch, stopping }) =>
      stopping ? [{ name: `${labelOf(figures, analysis)}, batch ${batch}`, stopping }] : [],
    ),
  );
  const [first] = stopped;
  if (first === undefined) return undefined;
  const capped = stopped.filter(({ stopping }) => stopping.reason === 'cap');
  const asked = `Rounds were added until the 95 % interval of each speed was ±${shareText(first.stopping.asked)} %`;
  if (capped.length === 0) return `${asked}: all reached that.`;
  const names = capped.map(
    ({ name, stopping: { reached } }) =>
      `${name} (${reached === null ? 'too few undisturbed rounds to tell' : `± ${shareText(reached)} %`})`,
  );
  return `${asked}, or the cap was reached: ${stopped.length - capped.length} of ${stopped.length} reached that; not ${names.join('; ')}.`;
}

function shareText(share: number): string {
  return format.significant(share * 100, 2);
}
