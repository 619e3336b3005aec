import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { historyFindings } from '../analysis/history/findings.js';
import { HistoryBuilder, type History } from '../analysis/history/history.js';
import {
  historyMetrics,
  pointsOf,
  type HistoryMetric,
  type PlacedPoint,
} from '../analysis/history/points.js';
import { historyDocument, type HistoryDocument } from '../report/history/document.js';
import type { PrintFormat } from '../report/charts/print.js';
import { writeHistory } from '../report/history/write.js';
import { referenceRun } from '../store/baselines.js';
import { hasFigures, runsOf } from '../store/newest.js';
import type { Db } from '../store/open.js';
import { findRun, listRuns, loadRun, runsOfSuite, type RunSummary, type StoredRun } from '../store/read.js';
import { runsOnBranch } from './branch-runs.js';
import { checkedOptions } from './options.js';
import { RememberedFits } from './remembered-fits.js';
import { Remembered } from './remembered.js';
import { withResults, type Results } from './results.js';

/** What is followed over the runs of a suite. */
export interface HistoryOptions {
  /** Only these; all of them if left out. */
  readonly metrics?: readonly HistoryMetric[] | undefined;
  /** Only cells whose name contains this, upper or lower case; `*` matches anything. */
  readonly cell?: string | undefined;
  /** Smallest change of latency, memory, file size, rate and throughput that counts, as a share: 0.02 if left out. */
  readonly threshold?: number | undefined;
  /** Smallest change of top-1 accuracy that counts, as a share: 0.003, which is 0.3 points, if left out. */
  readonly accuracyThreshold?: number | undefined;
  /** Smallest change of the mean cosine of features to fp32 that counts; 0.001 if left out. */
  readonly cosineThreshold?: number | undefined;
  /** Ignore everything before this run: a baseline, or the beginning of a run's id. */
  readonly since?: string | undefined;
  /**
   * Only runs of this branch: those that were recorded on it, and those of its commits (by first parents) as git in the working folder tells
   * them; `*` for all. Left out, the repository's default branch where there are runs of several.
   */
  readonly branch?: string | undefined;
  /** So many runs at most, the newest; all of them if left out. */
  readonly runs?: number | undefined;
}

const optionsSchema = z.strictObject({
  metrics: z.array(z.enum(historyMetrics)).min(1).optional(),
  cell: z.string().optional(),
  threshold: z.number().nonnegative().default(0.02),
  accuracyThreshold: z.number().nonnegative().max(1).default(0.003),
  cosineThreshold: z.number().nonnegative().max(2).default(0.001),
  since: z.string().min(1).optional(),
  branch: z.string().min(1).optional(),
  runs: z.number().int().min(1).optional(),
});

type Wishes = z.output<typeof optionsSchema>;

/** What became of a suite's figures from run to run. */
export class SuiteHistory {
  /** @internal */
  constructor(
    /** @internal */
    readonly history: History,
    /** Runs of the suite that have no figures: they go on, were interrupted, or failed altogether. */
    readonly leftOut: readonly RunSummary[],
    /** How many older runs were not looked at, for more were stored than asked for. */
    readonly older: number,
  ) {}

  /** The history for programs: every figure with its 95 % interval, every change with where it came. */
  get document(): HistoryDocument {
    return historyDocument(this.history);
  }

  /** Whether any figure is worse now than it was: by a step that counts, or by a slow drift. */
  get isWorse(): boolean {
    return historyFindings(this.history).worseNow.length > 0;
  }

  /**
   * Writes the history as a page, Markdown and JSON, and its charts, into a folder of the suite's own.
   *
   * @param directory - where reports lie; it is made where it is missing
   * @param options - formats of the charts beside SVG
   * @returns the path of the HTML page
   * @throws InputError when the folder cannot be written; ResourceError when the disk is full; DeviceError where charts are asked for that a
   *   browser draws, and there is none
   */
  writeReport(
    directory = 'reports',
    options: { readonly charts?: readonly PrintFormat[] } = {},
  ): Promise<string> {
    return writeHistory(this.history, directory, options.charts);
  }
}

/**
 * Follows the figures of a suite over its runs, in the order of the commits that they measured. Figures are compared within one
 * setting only: another processor, runtime, dataset or recipe begins a new series.
 *
 * @param results - open, or their folder
 * @param suite - its name
 * @param options - what is followed, and which change counts
 * @throws InputError when there is no such suite, or no figure of what is asked for
 *
 * @example
 * ```ts
 * const { document, isWorse } = await history('results', 'cifar10', { metrics: ['latency'], since: 'main' });
 * for (const { name, worseNow } of document.cells) if (worseNow) console.log(name);
 * ```
 */
export async function history(
  results: Results | string,
  suite: string,
  options: HistoryOptions = {},
): Promise<SuiteHistory> {
  return historyWith(results, suite, options, { points: new Remembered(0), fits: new RememberedFits() });
}

/**
 * What is remembered of histories.
 *
 * @internal
 */
export interface HistoryMemory {
  /** Of runs that have ended, in every metric. */
  readonly points: Remembered<readonly PlacedPoint[]>;
  readonly fits: RememberedFits;
}

/**
 * What runs add to the history of their suite, in every metric: what is asked for next may be another one.
 *
 * @param db - the store
 * @param runs - their ids
 * @param points - what they have said so far
 * @param load - reads a run; left out, from the store
 * @returns in the order of the runs
 * @internal
 */
export function pointsOfRuns(
  db: Db,
  runs: readonly string[],
  points: HistoryMemory['points'],
  load = async (id: string): Promise<StoredRun> => loadRun(db, await findRun(db, id)),
): Promise<readonly (readonly PlacedPoint[])[]> {
  return points.ofAll(db, runs, POINTS, async (id) => pointsOf(await load(id), historyMetrics));
}

/**
 * What points of runs follow from beside the runs, as `Remembered` takes it.
 *
 * @internal
 */
export const POINTS = null;

/**
 * As `history`, for whoever asks again and again: what runs that have ended say is computed once, and so is where series changed.
 *
 * @param memory - what was found so far
 * @internal
 */
export async function historyWith(
  results: Results | string,
  suite: string,
  options: HistoryOptions,
  memory: HistoryMemory,
): Promise<SuiteHistory> {
  const wishes = checkedOptions('history', options, optionsSchema);
  return withResults(results, { readonly: true }, async ({ db }) => {
    const own = await listRuns(db, suite);
    // What suites there are is asked for only where it must be said.
    const summaries = own.length > 0 ? own : runsOf(await listRuns(db), suite, 'history');
    const measured = new Map(summaries.filter(hasFigures).map((run) => [run.id, run]));
    const leftOut = summaries.filter(({ id }) => !measured.has(id));
    const { found, older } = await read(db, suite, measured, wishes, memory);
    return new SuiteHistory(found, leftOut, older);
  });
}

async function read(
  db: Db,
  suite: string,
  measured: ReadonlyMap<string, RunSummary>,
  wishes: Wishes,
  memory: HistoryMemory,
): Promise<{ readonly found: History; readonly older: number }> {
  const { metrics = historyMetrics, cell, threshold, accuracyThreshold, cosineThreshold, since } = wishes;
  if (measured.size === 0)
    throw new InputError({
      source: 'history',
      found: `no run of ${suite} that finished with results`,
      expected: 'at least one',
      hint: '"edgeflex run <suite> --resume" continues an interrupted run.',
    });
  const all = (await runsOfSuite(db, suite)).filter(({ id }) => measured.has(id));
  const { runs: onBranch, branch } = await runsOnBranch(all, wishes.branch, process.cwd());
  const runs = onBranch.slice(0, wishes.runs);
  const builder = new HistoryBuilder({
    ...{ suite, branch, metrics, wants: wanted(cell) },
    thresholds: { ratio: threshold, accuracy: accuracyThreshold, cosine: cosineThreshold },
  });
  const ids = runs.map(({ id }) => id);
  for (const points of await pointsOfRuns(db, ids, memory.points))
    builder.addPoints(points.filter(({ metric }) => metrics.includes(metric)));
  const names = builder.names();
  if (names.length === 0) throw nothingMeasured(suite, wishes);
  const first = since === undefined ? undefined : (await referenceRun(db, since, suite)).id;
  const found = await memory.fits.during(db, ids, (fits) => builder.history(first, fits));
  if (first !== undefined && !found.runs.some(({ id }) => id === first))
    throw new InputError({
      source: '--since',
      found: runs.some(({ id }) => id === first)
        ? `run ${first}, in which none of the requested metrics was measured`
        : `run ${first}, which is not of the branch ${branch.name ?? ''}`,
      expected: `one of ${found.runs.map(({ id }) => id).join(', ')}`,
    });
  if (cell !== undefined && found.cells.length === 0)
    throw new InputError({
      source: '--cell',
      found: `${cell}, which matches no measured cell`,
      expected: `part of one of ${names.join(', ')}`,
    });
  return { found, older: onBranch.length - runs.length };
}

function nothingMeasured(suite: string, { metrics }: Wishes): InputError {
  if (metrics === undefined)
    return new InputError({
      source: 'history',
      found: `no measurements in the runs of ${suite}`,
      expected: 'at least one',
    });
  return new InputError({
    source: '--metric',
    found: `${metrics.join(', ')}, which no run of ${suite} has measured`,
    expected: `a metric that was measured, out of ${historyMetrics.join(', ')}`,
  });
}

/** Whether a name holds a pattern, upper or lower case. */
function wanted(pattern = ''): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(parts.join('.*'), 'i');
  return (name) => expression.test(name);
}
