import { defined } from '../../base/defined.js';
import { isWorseNow, type Change, type SlowChange } from './changes.js';
import type { CellHistory, History, Series } from './history.js';

/** A change of a cell, with the cell it is of. */
export interface CellChange {
  readonly cell: CellHistory;
  readonly series: Series;
  readonly change: Change;
}

/** A cell that creeps. */
export interface CellSlowChange {
  readonly cell: CellHistory;
  readonly series: Series;
  readonly slow: SlowChange;
}

/** What a history says, the newest first. */
export interface HistoryFindings {
  readonly regressions: readonly CellChange[];
  readonly improvements: readonly CellChange[];
  readonly slow: readonly CellSlowChange[];
  /** Large enough and significant, but not to be laid to the code, or not yet. */
  readonly open: readonly CellChange[];
  /** How many changes are too small, or could be chance. */
  readonly others: number;
  /** Cells that are worse now, by a step or by creeping: what a gate fails on. */
  readonly worseNow: readonly CellHistory[];
}

/**
 * What a history says.
 *
 * @param history - of a suite
 */
export function historyFindings({ cells, runs }: History): HistoryFindings {
  const position = new Map(runs.map(({ id }, index) => [id, index]));
  const positionOf = ({ change }: CellChange): number =>
    defined(position.get(change.firstAfter.id), 'the run of a change');
  const series = cells.flatMap((cell) => cell.series.map((each) => ({ cell, series: each })));
  const changes = series
    .flatMap((each) => each.series.changes.map((change): CellChange => ({ ...each, change })))
    .sort((a, b) => positionOf(b) - positionOf(a));
  const counting = changes.filter(({ change }) => change.doubt === undefined);
  const open = changes.filter(({ change: { doubt } }) => doubt === 'one run only' || doubt === 'same commit');
  return {
    regressions: counting.filter(({ change }) => change.direction === 'worse'),
    improvements: counting.filter(({ change }) => change.direction === 'better'),
    slow: series.flatMap((each) => (each.series.slow ? { ...each, slow: each.series.slow } : [])),
    open,
    others: changes.filter(
      ({ change: { doubt } }) => doubt === 'not significant' || doubt === 'below the threshold',
    ).length,
    worseNow: cells.filter((cell) => cell.series.some((each) => each.current && isWorseNow(each))),
  };
}
