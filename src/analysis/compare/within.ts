import type { StoredCell, StoredRun } from '../../store/read.js';
import { isScored } from '../figures/accuracy.js';
import { effectOf } from './effect.js';
import { metricsOf } from './cell-metrics.js';
import type { FloorOf } from './floors.js';
import { judge, type Judgement } from './judge.js';

/**
 * Judges the cells of one run against its baseline's, whose rounds were measured in turn with theirs.
 *
 * @param pairs - done cells, and the baseline's of the same scenario on the same device
 * @param run - the run
 * @param floorOf - what its devices can tell
 * @returns the judgements of each cell
 */
export function judgeWithin(
  pairs: readonly { readonly cell: StoredCell; readonly baseline: StoredCell }[],
  run: StoredRun,
  floorOf: FloorOf,
): ReadonlyMap<StoredCell, readonly Judgement[]> {
  const questions = pairs.flatMap(({ cell, baseline }) =>
    metricsOf(cell).flatMap((metric) => {
      const scored = isScored(cell.variant, run.data);
      const effect = effectOf(metric, { reference: baseline, cell, interleaved: true, scored });
      if ('obstacle' in effect) return [];
      return [{ cell, effect, floor: floorOf(cell, metric, effect.observations, true) }];
    }),
  );
  const byCell = new Map<StoredCell, Judgement[]>();
  for (const { cell, judgement } of judge(questions))
    byCell.set(cell, [...(byCell.get(cell) ?? []), judgement]);
  return byCell;
}
