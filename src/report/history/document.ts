import { defined } from '../../base/defined.js';
import type { Estimate } from '../../stats/interval.js';
import type { SettingDifference } from '../../analysis/setting.js';
import type { Change, Doubt, SlowChange, Thresholds } from '../../analysis/history/changes.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { History, Series } from '../../analysis/history/history.js';
import type { HistoryCell, HistoryMetric, HistoryRun } from '../../analysis/history/points.js';

/** Version of the document: it grows when a field changes its meaning or goes, not when one is added. */
const SCHEMA_VERSION = 1;

/** A suite's history for programs. Latencies in milliseconds, memory in bytes, accuracy as a share; intervals are 95 %. */
export interface HistoryDocument {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly suite: string;
  /** Whose runs these are; null where they are of all branches. */
  readonly branch: string | null;
  /** Runs of other branches, which were left out; a branch is null where nobody knows it. */
  readonly otherBranches: readonly { readonly branch: string | null; readonly runs: number }[];
  readonly thresholds: Thresholds;
  /** In the order of commits. */
  readonly runs: readonly HistoryRun[];
  readonly cells: readonly (HistoryCell & {
    readonly name: string;
    readonly metric: HistoryMetric;
    /** By a step that counts, or by creeping. */
    readonly worseNow: boolean;
    readonly series: readonly SeriesDocument[];
  })[];
  readonly breaks: readonly {
    readonly device: string;
    readonly run: string;
    readonly differences: readonly SettingDifference[];
  }[];
}

/** Figures of one cell and metric in one setting. Runs by their ids. */
export interface SeriesDocument {
  readonly setting: Readonly<Record<string, string>>;
  readonly current: boolean;
  readonly points: readonly (Estimate & { readonly run: string })[];
  readonly levels: readonly (Estimate & { readonly from: string; readonly to: string })[];
  readonly changes: readonly ChangeDocument[];
  readonly slowChange: SlowChange | null;
}

/** See `Change`. */
export interface ChangeDocument {
  readonly direction: Change['direction'];
  readonly size: Estimate;
  readonly before: number;
  readonly after: number;
  readonly lastBefore: string;
  readonly firstAfter: string;
  /** How likely the first commit at the new level comes after that of `lastBefore` and is at latest that of `firstAfter`. */
  readonly probability: number;
  /** Runs between which it comes with at least 95 %, and how likely that is. */
  readonly range: { readonly lastBefore: string; readonly firstAfter: string; readonly probability: number };
  readonly runs: number;
  readonly newest: boolean;
  /** Null where it counts as a regression or an improvement. */
  readonly doubt: Doubt | null;
}

/**
 * A suite's history for programs.
 *
 * @param history - of the suite
 */
export function historyDocument(history: History): HistoryDocument {
  const { suite, branch, thresholds, runs, cells, breaks } = history;
  const { worseNow } = historyFindings(history);
  return {
    schemaVersion: SCHEMA_VERSION,
    ...{ suite, branch: branch.name ?? null },
    otherBranches: branch.others.map((other) => ({ branch: other.branch ?? null, runs: other.runs })),
    ...{ thresholds, runs },
    cells: cells.map((each) => ({
      ...each.cell,
      ...{ name: each.name, metric: each.metric, worseNow: worseNow.includes(each) },
      series: each.series.map(seriesDocument),
    })),
    breaks: breaks.map(({ device, run, differences }) => ({ device, run: run.id, differences })),
  };
}

function seriesDocument({ setting, current, points, levels, changes, slow }: Series): SeriesDocument {
  const idAt = (index: number): string => defined(points[index], 'a point of a level').run.id;
  return {
    setting: Object.fromEntries(setting),
    current,
    points: points.map(({ run, estimate: { value, low, high } }) => ({ run: run.id, value, low, high })),
    levels: levels.map(({ from, to, level, low, high }) => ({
      ...{ from: idAt(from), to: idAt(to) },
      ...{ value: level, low, high },
    })),
    changes: changes.map(
      ({
        direction,
        size,
        before,
        after,
        lastBefore,
        firstAfter,
        probability,
        range,
        runs,
        newest,
        doubt,
      }) => ({
        ...{ direction, size, before, after, probability, runs, newest },
        range: {
          ...{ lastBefore: range.lastBefore.id, firstAfter: range.firstAfter.id },
          probability: range.probability,
        },
        ...{ lastBefore: lastBefore.id, firstAfter: firstAfter.id },
        doubt: doubt ?? null,
      }),
    ),
    slowChange: slow ?? null,
  };
}
