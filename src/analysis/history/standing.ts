import { isWorseNow } from './changes.js';
import { historyFindings, type CellChange, type CellSlowChange } from './findings.js';
import type { CellHistory, History, Series } from './history.js';
import type { Metric } from '../../base/metric.js';
import { isWorse } from '../compare/judge.js';
import type { Compared, Comparison } from '../compare/compare.js';
import type { HistoryMetric, HistoryRun } from './points.js';
import { repositoryOf } from '../../store/repository.js';
import type { Estimate } from '../../stats/interval.js';

/** Something that is worse than it was. */
export interface Regression {
  /** What it is known by from run to run: the cell and the metric. */
  readonly key: string;
  /** Name of the cell. */
  readonly cell: string;
  readonly metric: HistoryMetric | Metric;
  /** A step, or in steps too small to be seen one by one, or than in a named baseline. */
  readonly kind: 'step' | 'slow' | 'baseline';
  /** After ÷ before − 1; of accuracy and cosines, after − before. With its 95 % interval; of a slow change, which has none, thrice the same. */
  readonly size: Estimate;
  /** The first run at the new level, against a baseline the run itself; null of a slow change. */
  readonly firstBad: RegressionRun | null;
  /** The last run at the level before, or the baseline's. */
  readonly lastGood: RegressionRun | null;
  /** How likely the first bad commit is that of `firstBad`, or one between it and `lastGood` that was not measured; null where nothing tells. */
  readonly probability: number | null;
  /** The same in a sentence, as the history has it. */
  readonly text: string;
}

/** A run of a regression. */
export interface RegressionRun {
  readonly run: string;
  /** Null where nobody knows it. */
  readonly commit: string | null;
}

/** A job of a run that failed, or of which cells did. */
export interface FailedJob {
  readonly place: number;
  /** Where it was worked on; null: nowhere. */
  readonly device: string | null;
  readonly outcome: 'done' | 'failed';
  readonly failedCells: number;
  readonly reason: string | null;
}

/** Times at which nothing was submitted, because no worker was there. */
export interface MissedTimes {
  readonly times: number;
  /** The last of them, ISO 8601 in UTC. */
  readonly last: string;
}

/** What a message tells of a run, or of times that were missed. */
export interface AlertContent {
  readonly schedule: string;
  readonly suite: string;
  /** Null where there is none. */
  readonly run: string | null;
  /** What failed in it and did not in the run before; left out of messages of versions that did not tell it. */
  readonly failed?: readonly FailedJob[];
  readonly missed?: MissedTimes | null;
  /** Worse as of this run, and not told before. */
  readonly opened: readonly Regression[];
  /** Told before, and no longer worse. */
  readonly resolved: readonly Regression[];
  /** How many were told before, and are still worse. */
  readonly open: number;
}

/** What a run's history says of now. */
export interface Standing {
  /** What is worse now. */
  readonly worse: readonly Regression[];
  /** Keys of all that the run has measured: of these alone it can be said that they are no longer worse. */
  readonly measured: ReadonlySet<string>;
}

/**
 * What is worse now, by the change points of the history; and what a run can say anything of.
 *
 * @param history - of the suite, with the run
 * @param run - its id
 * @param sentence - says what was found in words
 */
export function standingOf(
  history: History,
  run: string,
  sentence: (found: CellChange | CellSlowChange) => string,
): Standing {
  const { worseNow, slow } = historyFindings(history);
  const worse = worseNow.flatMap((cell): Regression[] => {
    const series = cell.series.find((each) => each.current && isWorseNow(each));
    if (series === undefined) return [];
    const known = { key: keyOf(cell), cell: cell.name, metric: cell.metric };
    const change = series.changes.findLast(({ doubt }) => doubt === undefined);
    if (change?.direction === 'worse')
      return [
        {
          ...{ ...known, kind: 'step', size: change.size, probability: change.probability },
          ...{ firstBad: runOf(change.firstAfter), lastGood: runOf(change.lastBefore) },
          text: sentence({ cell, series, change }),
        },
      ];
    const creeping = slow.find((each) => each.cell === cell && each.series === series);
    if (creeping === undefined) return [];
    const { size } = creeping.slow;
    return [
      {
        ...{ ...known, kind: 'slow', size: { value: size, low: size, high: size }, probability: null },
        ...{ firstBad: null, lastGood: null, text: sentence(creeping) },
      },
    ];
  });
  const isMeasured = ({ current, points }: Series): boolean =>
    current && points.some((point) => point.run.id === run);
  return {
    worse,
    measured: new Set(history.cells.filter(({ series }) => series.some(isMeasured)).map(keyOf)),
  };
}

/**
 * What is worse than in a run that the comparison is with, by what `edgeflex compare` says of it.
 *
 * @param comparison - of a run with the baseline's
 * @param name - of the cell, in words
 * @param sentence - says what was found in words
 */
export function standingAgainst(
  comparison: Comparison,
  name: (found: Compared) => string,
  sentence: (found: Compared) => string,
): Standing {
  const key = ({ subject, judgement }: Compared): string => {
    const { model, recipe, device = null, batch = null, bound = null } = subject;
    return JSON.stringify(['baseline', judgement.metric, model, recipe, device, batch, bound]);
  };
  const isBad = ({ judgement: { verdict, metric, change } }: Compared): boolean =>
    verdict !== 'not distinguishable' && isWorse(metric, change.value);
  const runIn = ({ row }: Comparison['run']): RegressionRun => ({
    run: row.id,
    commit: repositoryOf(row)?.commit ?? null,
  });
  return {
    worse: comparison.compared.filter(isBad).map((each) => ({
      ...{ key: key(each), cell: name(each), metric: each.judgement.metric, kind: 'baseline' },
      ...{ size: each.judgement.change, probability: null, text: sentence(each) },
      ...{ firstBad: runIn(comparison.run), lastGood: runIn(comparison.reference) },
    })),
    measured: new Set(comparison.compared.map(key)),
  };
}

function keyOf({ cell, metric }: CellHistory): string {
  return JSON.stringify([
    metric,
    cell.model,
    cell.recipe,
    cell.device,
    cell.kind,
    cell.batch,
    cell.bound ?? null,
  ]);
}

function runOf({ id, repository }: HistoryRun): RegressionRun {
  return { run: id, commit: repository?.commit ?? null };
}
