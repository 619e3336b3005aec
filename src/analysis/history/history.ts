import { defined } from '../../base/defined.js';
import { groupBy } from '../../base/group-by.js';
import { holm } from '../../stats/holm.js';
import type { StoredRun } from '../../store/read.js';
import { settingDifferences, type Setting, type SettingDifference } from '../setting.js';
import type { BranchFacts } from './branches.js';
import { changesOf, SIGNIFICANCE, type FitMemory, type SeriesChanges, type Thresholds } from './changes.js';
import {
  pointsOf,
  type HistoryCell,
  type HistoryMetric,
  type HistoryPoint,
  type HistoryRun,
  type PlacedPoint,
} from './points.js';

/** What is asked of a history. */
export interface HistoryOptions {
  readonly suite: string;
  readonly metrics: readonly HistoryMetric[];
  /** Which cells are wanted, by their name: see `cellName`. */
  readonly wants: (name: string) => boolean;
  readonly thresholds: Thresholds;
  /** Which runs it is given. */
  readonly branch: BranchFacts;
}

/** A cell in one metric and one setting: figures that can be compared with each other. */
export interface Series extends SeriesChanges {
  readonly setting: Setting;
  /** In the order of commits. */
  readonly points: readonly HistoryPoint[];
  /** Whether the cell's newest point is in it: what it says holds today. */
  readonly current: boolean;
}

/** A cell in one metric over all runs. */
export interface CellHistory {
  readonly cell: HistoryCell;
  /** See `cellName`. */
  readonly name: string;
  readonly metric: HistoryMetric;
  /** By the first point of each. */
  readonly series: readonly Series[];
}

/** A run that was the first of a device in a setting, or of a variant with a recipe: its figures cannot be compared with those before. */
export interface SettingBreak {
  readonly device: string;
  readonly run: HistoryRun;
  /** From the setting of the run before. */
  readonly differences: readonly SettingDifference[];
}

/** Every measurement of a suite's cells over its runs. */
export interface History {
  readonly suite: string;
  readonly branch: BranchFacts;
  readonly thresholds: Thresholds;
  /** In the order of commits. */
  readonly runs: readonly HistoryRun[];
  /** Those that are wanted, by metric, then in the order of the newest run. */
  readonly cells: readonly CellHistory[];
  readonly breaks: readonly SettingBreak[];
}

/** Gathers the runs of a suite one by one, so that no more than one is held with all its samples. */
export class HistoryBuilder {
  private readonly runs: HistoryRun[] = [];
  private readonly placed: PlacedPoint[] = [];

  constructor(private readonly options: HistoryOptions) {}

  /**
   * Takes a run.
   *
   * @param run - of the suite
   */
  add(run: StoredRun): void {
    this.addPoints(pointsOf(run, this.options.metrics));
  }

  /**
   * Takes what a run says, where that is known already.
   *
   * @param points - as `pointsOf` gives them for the metrics of this history
   */
  addPoints(points: readonly PlacedPoint[]): void {
    const [first] = points;
    if (first === undefined) return;
    this.runs.push(first.point.run);
    this.placed.push(...points);
  }

  /** Names of all cells that have a figure, wanted or not. */
  names(): string[] {
    const nameOf = cellNames(this.placed.map(({ cell }) => cell));
    return [...new Set(this.placed.map(({ cell }) => nameOf(cell)))];
  }

  /**
   * The history of the runs so far.
   *
   * @param since - the id of a run: what comes before it in the order of commits is left out
   * @param fits - of series that were found before; left out, all are found anew
   */
  history(since?: string, fits?: FitMemory): History {
    const { suite, branch, metrics, wants, thresholds } = this.options;
    const all = [...this.runs].sort(byCode);
    const runs = all.slice(
      Math.max(
        0,
        all.findIndex(({ id }) => id === since),
      ),
    );
    const position = new Map(runs.map((run, index) => [run.id, index]));
    const ordered = this.placed
      .flatMap((placed) => {
        const at = position.get(placed.point.run.id);
        return at === undefined ? [] : [{ placed, at }];
      })
      .sort((a, b) => a.at - b.at)
      .map(({ placed }) => placed);
    const nameOf = cellNames(ordered.map(({ cell }) => cell));
    const cells = metrics.flatMap((metric) => {
      const ofMetric = ordered.filter((each) => each.metric === metric);
      return [...groupBy(ofMetric, ({ cell }) => JSON.stringify(cell)).values()]
        .map((placed): CellHistory => {
          const { cell } = defined(placed[0], 'the first point of a cell');
          const points = placed.map(({ point }) => point);
          return { cell, name: nameOf(cell), metric, series: seriesOf(points, metric, thresholds, fits) };
        })
        .filter(({ name }) => wants(name));
    });
    return { suite, branch, thresholds, runs, cells: withoutChance(cells), breaks: breaksOf(ordered) };
  }
}

/**
 * When the code of a run was written: when its commit was made, or, where nobody knows it, when the run began. Runs of one
 * commit stand in the order in which they began.
 */
function byCode(a: HistoryRun, b: HistoryRun): number {
  const time = ({ repository, startedAt }: HistoryRun): number =>
    Date.parse(repository?.committedAt ?? startedAt);
  return time(a) - time(b) || Date.parse(a.startedAt) - Date.parse(b.startedAt);
}

/** Points of different settings or recipes are not of one series, whatever lies between them. */
function seriesOf(
  points: readonly HistoryPoint[],
  metric: HistoryMetric,
  thresholds: Thresholds,
  fits: FitMemory | undefined,
): Series[] {
  return [...groupBy(points, (point) => `${keyOf(point.setting)} ${point.stages}`).values()].map((own) => ({
    setting: defined(own[0], 'the first point of a series').setting,
    points: own,
    current: own.at(-1) === points.at(-1),
    ...changesOf(own, metric, thresholds, fits),
  }));
}

/**
 * Of many series some creep by chance: only those count that still do after Holm's correction over all of them. In those a level
 * that came bit by bit is no regression of its own: no single range of commits brought it.
 */
function withoutChance(cells: readonly CellHistory[]): CellHistory[] {
  const all = cells.flatMap(({ series }) => series);
  const adjusted = holm(all.map(({ slow }) => slow?.p ?? 1));
  const byChance = new Set(
    all.filter((_, index) => defined(adjusted[index], 'an adjusted p') > SIGNIFICANCE),
  );
  return cells.map((cell) => ({
    ...cell,
    series: cell.series.map((each) => {
      if (each.slow === undefined || byChance.has(each)) return { ...each, slow: undefined };
      const changes = each.changes.map((change) =>
        change.gradual ? { ...change, doubt: change.doubt ?? ('slow change' as const) } : change,
      );
      return { ...each, changes };
    }),
  }));
}

/** Each metric has its own settings; what several of them say of a device and run is said once. */
function breaksOf(ordered: readonly PlacedPoint[]): SettingBreak[] {
  const breaks = [
    ...[...groupBy(ordered, ({ cell, metric }) => `${cell.device} ${metric}`).values()].flatMap(
      breaksOfMetric,
    ),
    ...recipeBreaks(ordered),
  ];
  return [...groupBy(breaks, ({ device, run }) => `${device} ${run.id}`).values()].map((same) => {
    const { device, run } = defined(same[0], 'the first of some breaks');
    const differences = new Map(same.flatMap((each) => each.differences.map((one) => [one.name, one])));
    return { device, run, differences: [...differences.values()] };
  });
}

function breaksOfMetric(points: readonly PlacedPoint[]): SettingBreak[] {
  return [...groupBy(points, ({ cell }) => cell.device)].flatMap(([device, placed]) => {
    const known = new Set<string>();
    let before: Setting | undefined;
    const breaks: SettingBreak[] = [];
    for (const { point } of placed) {
      const key = keyOf(point.setting);
      // A machine that is used again goes on where it was.
      if (before !== undefined && !known.has(key))
        breaks.push({ device, run: point.run, differences: settingDifferences(before, point.setting) });
      known.add(key);
      before = point.setting;
    }
    return breaks;
  });
}

/** Where the recipe of a variant became another by the same name. */
function recipeBreaks(ordered: readonly PlacedPoint[]): SettingBreak[] {
  const variants = groupBy(ordered, ({ cell }) => `${cell.device} ${cell.model} / ${cell.recipe}`);
  return [...variants.values()].flatMap((placed) => {
    const known = new Set<string>();
    let before: string | undefined;
    const breaks: SettingBreak[] = [];
    for (const {
      cell: { device, model, recipe },
      point: { run, stages },
    } of placed) {
      if (before !== undefined && !known.has(stages))
        breaks.push({
          ...{ device, run },
          differences: [{ name: `the recipe of ${model} / ${recipe}`, before, after: stages }],
        });
      known.add(stages);
      before = stages;
    }
    return breaks;
  });
}

/** A cell's name among others: model and device only where there are several. */
function cellNames(cells: readonly HistoryCell[]): (cell: HistoryCell) => string {
  const several = (key: 'model' | 'device'): boolean => new Set(cells.map((cell) => cell[key])).size > 1;
  const [models, devices] = [several('model'), several('device')];
  return ({ model, recipe, device, emulated, kind, batch, bound }) =>
    [
      ...(models ? [model] : []),
      recipe,
      ...(devices || emulated ? [device] : []),
      ...(kind === 'accuracy' ? [] : [`batch ${batch}`]),
      ...(bound === undefined ? [] : [`p99 ≤ ${bound} ms`]),
    ].join(' · ');
}

function keyOf(setting: Setting): string {
  return JSON.stringify([...setting].sort(([a], [b]) => (a < b ? -1 : 1)));
}
