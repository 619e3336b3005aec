import { mean, median } from 'simple-statistics';
import { defined } from '../../base/defined.js';
import { groupBy } from '../../base/group-by.js';
import { holm } from '../../stats/holm.js';
import type { Estimate } from '../../stats/interval.js';
import { oddness, type Oddness } from '../../stats/odd-ones.js';
import { studentQuantile } from '../../stats/student.js';
import { varianceComponents, type VarianceComponents } from '../../stats/variance-components.js';
import { settingDifferences, type Setting, type SettingDifference } from '../setting.js';
import type { SeenBoard, SeenTiming } from './copies.js';

/** How often boards that are all alike may have even one taken for an outlier. */
const OUTLIER_LEVEL = 0.05;

/** Of fewer copies nobody can say which one is odd. */
export const FEWEST_COPIES = 3;

/** What is asked of copies. */
export interface SiblingsQuestion {
  /** From which share on a deviation matters: 0.02 is 2 %. */
  readonly threshold: number;
}

/**
 * What is to be said of a board. `odd`: its deviation matters and is none of chance. `alike`: its deviation is below the threshold, with its
 * whole 95 % interval. `undecided`: neither can be said.
 */
export type SiblingVerdict = 'odd' | 'alike' | 'undecided';

/** A board in a cell. */
export interface BoardDeviation {
  readonly board: string;
  /** How many values it has: rounds, or runs. */
  readonly values: number;
  /** Geometric mean of its latencies, in milliseconds. */
  readonly latency: number;
  /** Its latency over that of its typical sibling, with a 95 % interval: 1.03 is 3 % slower. Without interval where nothing tells one. */
  readonly deviation: Estimate;
  /** How likely one of such boards lies so far out by chance, after Holm's correction over all boards and cells; undefined of two copies. */
  readonly p: number | undefined;
  readonly verdict: SiblingVerdict;
}

/** A variant at a batch size on several copies of a board. */
export interface SiblingCell {
  readonly model: string;
  readonly recipe: string;
  readonly batch: number;
  /**
   * What a value is: a `round`, so that within a board is from round to round of one run; or a `run`, where every copy has several, so that it is from
   * run to run.
   */
  readonly unit: 'round' | 'run';
  /** Of natural logarithms: 0.01 is about 1 %. Undefined where no board has two values. */
  readonly components: VarianceComponents | undefined;
  /** By what outliers are found; undefined where there are too few copies. */
  readonly method: Oddness['method'] | undefined;
  /** The smallest deviation that would be found, as a share; undefined where none would be. */
  readonly detectable: number | undefined;
  /** By name. */
  readonly boards: readonly BoardDeviation[];
}

/** What is said of a board over all cells. */
export interface SiblingBoard {
  readonly name: string;
  readonly emulated: boolean;
  /** `odd` where it is in any cell, `alike` where it is in all. */
  readonly verdict: SiblingVerdict;
  /** Cells that it was measured in. */
  readonly cells: number;
  /** In what it is set up otherwise than most of its siblings; `before` is theirs. */
  readonly differences: readonly SettingDifference[];
}

/** Copies of one board. */
export interface SiblingGroup {
  /** What all of them are. */
  readonly kind: Setting;
  /** By name. */
  readonly boards: readonly SiblingBoard[];
  /** Variants that were measured on at least two of them. */
  readonly cells: readonly SiblingCell[];
  /** Runs that were looked at. */
  readonly runs: readonly string[];
}

/**
 * Boards that are copies of each other, and whether each is like its siblings: how much of what their latencies scatter lies between boards
 * (`varianceComponents`, on logarithms), and which boards are outliers (`oddness`, with Holm's correction over all boards and cells of a group, so
 * that boards which are all alike have one taken for an outlier at most as often as `OUTLIER_LEVEL` says).
 *
 * A board's deviation is from the median of the others. The interval is of this board against these siblings: its error is that of the board's own
 * mean, and of the median at most that of its least sure sibling (a median changes by no more than one of its values does: the Gaussian
 * Poincaré inequality), with the pooled scatter within boards.
 *
 * @param seen - what runs saw
 * @param question - what counts
 * @returns groups of at least two boards, the largest first
 */
export function siblingsOf(seen: readonly SeenBoard[], question: SiblingsQuestion): SiblingGroup[] {
  return [...groupBy(seen, ({ kind }) => JSON.stringify([...kind].sort())).values()]
    .map((own) => groupOf(own, question))
    .filter(({ boards }) => boards.length > 1)
    .sort((a, b) => b.boards.length - a.boards.length);
}

/** A cell before it is judged. */
interface Measured extends Pick<SiblingCell, 'model' | 'recipe' | 'batch' | 'unit'> {
  readonly boards: readonly { readonly name: string; readonly values: readonly number[] }[];
}

function groupOf(seen: readonly SeenBoard[], { threshold }: SiblingsQuestion): SiblingGroup {
  const newestFirst = [...seen].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  const byName = groupBy(newestFirst, ({ name }) => name);
  const measured = measuredCells(newestFirst);
  const compared = measured.map(comparedOf);
  const tests = compared.flatMap(({ odd }) => odd?.ps ?? []);
  const adjusted = holm(tests);
  let next = 0;
  const cells = compared.map(({ cell, odd, components, deviations }): SiblingCell => {
    const distance = odd?.distanceFor(OUTLIER_LEVEL / tests.length);
    return {
      ...{ model: cell.model, recipe: cell.recipe, batch: cell.batch, unit: cell.unit },
      ...{ components, method: odd?.method },
      detectable: distance === undefined || !Number.isFinite(distance) ? undefined : Math.expm1(distance),
      boards: deviations.map((each) => {
        const p = odd === undefined ? undefined : defined(adjusted[next++], 'an adjusted p');
        return { ...each, p, verdict: verdictOf(each.deviation, p, threshold) };
      }),
    };
  });
  const boards = [...byName].map(([name, views]): SiblingBoard => {
    const verdicts = cells.flatMap((cell) =>
      cell.boards.filter(({ board }) => board === name).map(({ verdict }) => verdict),
    );
    return {
      ...{ name, emulated: views.some(({ emulated }) => emulated), cells: verdicts.length },
      verdict: overall(verdicts),
      differences: differencesOf(name, byName),
    };
  });
  return {
    kind: defined(newestFirst[0], 'a board of a group').kind,
    boards: boards.sort((a, b) => (a.name < b.name ? -1 : 1)),
    cells,
    runs: [...new Set(newestFirst.map(({ runId }) => runId))],
  };
}

/** Cells of the same artifact on at least two boards; where several artifacts have the same name, the newest that two boards have. */
function measuredCells(newestFirst: readonly SeenBoard[]): Measured[] {
  const placed = newestFirst.flatMap(({ name, timings }) => timings.map((timing) => ({ name, timing })));
  const cells = groupBy(placed, ({ timing: { model, recipe, batch } }) =>
    JSON.stringify([model, recipe, batch]),
  );
  return [...cells.values()].flatMap((own) => {
    const shared = [...groupBy(own, ({ timing }) => timing.artifact).values()].find(
      (same) => new Set(same.map(({ name }) => name)).size > 1,
    );
    const first = shared?.[0]?.timing;
    if (shared === undefined || first === undefined) return [];
    const byBoard = groupBy(shared, ({ name }) => name);
    // From run to run more may change than from round to round, but only where every board has several runs can both be told apart.
    const unit = [...byBoard.values()].every((runs) => runs.length > 1) ? 'run' : 'round';
    const boards = [...byBoard].map(([name, runs]) => ({ name, values: valuesOf(runs, unit) }));
    const { model, recipe, batch } = first;
    return { model, recipe, batch, unit, boards: boards.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  });
}

function valuesOf(
  runs: readonly { readonly timing: SeenTiming }[],
  unit: SiblingCell['unit'],
): readonly number[] {
  if (unit === 'run') return runs.map(({ timing }) => mean([...timing.logs]));
  return defined(runs[0], 'the newest run of a board').timing.logs;
}

function comparedOf(cell: Measured): {
  readonly cell: Measured;
  readonly odd: Oddness | undefined;
  readonly components: VarianceComponents | undefined;
  readonly deviations: readonly Omit<BoardDeviation, 'p' | 'verdict'>[];
} {
  const components = varianceComponents(cell.boards.map(({ values }) => values));
  const means = cell.boards.map(({ values }) => mean([...values]));
  const fewest = (without: number): number =>
    Math.min(...cell.boards.filter((_, index) => index !== without).map(({ values }) => values.length));
  const deviations = cell.boards.map(({ name, values }, index) => {
    const own = defined(means[index], 'the mean of a board');
    const distance = own - median(means.filter((_, other) => other !== index));
    const half =
      components === undefined
        ? 0
        : studentQuantile(0.975, components.degrees.within) *
          components.within.value *
          Math.sqrt(1 / values.length + 1 / fewest(index));
    return {
      ...{ board: name, values: values.length, latency: Math.exp(own) },
      deviation: {
        value: Math.exp(distance),
        low: Math.exp(distance - half),
        high: Math.exp(distance + half),
      },
    };
  });
  return { cell, components, deviations, odd: oddness(means, relativeScales(cell, components)) };
}

/** How much the mean of each board scatters, as a multiple of what it does on average: those of more values scatter less. */
function relativeScales(cell: Measured, components: VarianceComponents | undefined): number[] {
  if (components === undefined) return cell.boards.map(() => 1);
  const [between, within] = [components.between.value ** 2, components.within.value ** 2];
  const typical = between + within * mean(cell.boards.map(({ values }) => 1 / values.length));
  return cell.boards.map(({ values }) => Math.sqrt((between + within / values.length) / typical));
}

function verdictOf({ value, low, high }: Estimate, p: number | undefined, threshold: number): SiblingVerdict {
  const matters = Math.abs(Math.log(value)) >= Math.log1p(threshold);
  if (p !== undefined && p <= OUTLIER_LEVEL && matters) return 'odd';
  const within = low >= 1 / (1 + threshold) && high <= 1 + threshold;
  return within && low < high ? 'alike' : 'undecided';
}

function overall(verdicts: readonly SiblingVerdict[]): SiblingVerdict {
  if (verdicts.includes('odd')) return 'odd';
  return verdicts.length > 0 && verdicts.every((each) => each === 'alike') ? 'alike' : 'undecided';
}

/** In what a board is set up otherwise than most of the others, by the newest run of each. */
function differencesOf(
  name: string,
  byName: ReadonlyMap<string, readonly SeenBoard[]>,
): readonly SettingDifference[] {
  const states = new Map([...byName].map(([each, views]) => [each, defined(views[0], 'a board').state]));
  const own = defined(states.get(name), 'the state of a board');
  const others = [...states].filter(([each]) => each !== name).map(([, state]) => state);
  const usual = new Map(
    [...new Set(others.flatMap((state) => [...state.keys()]))].flatMap((fact) => {
      const counts = groupBy(others, (state) => state.get(fact) ?? '');
      const most = [...counts].find(([, same]) => same.length * 2 > others.length);
      return most === undefined ? [] : [[fact, most[0]] as const];
    }),
  );
  return settingDifferences(usual, new Map([...own].filter(([fact]) => usual.has(fact))));
}
