import { defined } from '../../base/defined.js';
import { hashJson } from '../../base/hash.js';
import { isBetterHigher } from '../../base/metric.js';
import { median } from 'simple-statistics';
import { changeLocation, likelyRange } from '../../stats/change-location.js';
import { changePoints, type Segment } from '../../stats/change-points.js';
import { exactLevels } from '../../stats/exact-levels.js';
import type { Estimate } from '../../stats/interval.js';
import { pairedMeanDifference } from '../../stats/mean.js';
import { mcnemar, pairedDifference, pairedOutcomes } from '../../stats/mcnemar.js';
import { creep, type Creep } from '../../stats/trend.js';
import type { HistoryMetric, HistoryPoint, HistoryRun } from './points.js';

/** How often chance alone may make a difference that counts. */
export const SIGNIFICANCE = 0.05;

/** So many points on either side of a change say how sharp it is. */
const NEARBY = 3;

/** A score of less than this counts as so much where logarithms are taken: less than an image cannot be right. */
const LEAST_SCORE = 1e-6;

/** From which size on a change matters. */
export interface Thresholds {
  /** Of latency, memory and files, as a share: 0.02 for 2 %. */
  readonly ratio: number;
  /** Of accuracy, in right answers as a share of all: 0.003 for 0.3 points. */
  readonly accuracy: number;
  /** Of the mean cosine to fp32. */
  readonly cosine: number;
}

/** A place where a level changed. */
export interface Change {
  readonly direction: 'worse' | 'better';
  /** After ÷ before − 1; of accuracy and cosines, after − before. With its 95 % interval. */
  readonly size: Estimate;
  readonly before: number;
  readonly after: number;
  /** The last run at the level before, and the first at the level after. */
  readonly lastBefore: HistoryRun;
  readonly firstAfter: HistoryRun;
  /** How likely it came between these two, if it came at once. */
  readonly probability: number;
  /** The runs about them between which it came with at least 95 %, and how likely that is. */
  readonly range: {
    readonly lastBefore: HistoryRun;
    readonly firstAfter: HistoryRun;
    readonly probability: number;
  };
  /** Index of the first run after among the series' points. */
  readonly index: number;
  /** Runs at the level after. */
  readonly runs: number;
  /** Whether it is the newest change of its series. */
  readonly newest: boolean;
  /** Whether the points on either side lie no further apart than the threshold: it came bit by bit. */
  readonly gradual: boolean;
  /** Why it does not count as a regression or an improvement; undefined where it does. */
  readonly doubt: Doubt | undefined;
}

/** Why a change does not count. */
export type Doubt =
  /** Chance alone could have made it. */
  | 'not significant'
  | 'below the threshold'
  /** Only the newest run has it: the next one confirms or refutes it. */
  | 'one run only'
  /** Both runs measured the same commit, without changes of their own: something but the code changed. */
  | 'same commit'
  /** The series creeps, and this is where the fit of constant levels had to go on to the next. */
  | 'slow change';

/** A slow change over a series, in steps too small to be seen one by one. */
export interface SlowChange {
  readonly direction: Change['direction'];
  /** Over the series: as a share; of accuracy and cosines, a difference. */
  readonly size: number;
  /** How likely so steady a change is by chance. */
  readonly p: number;
}

/** A stretch of a series at one level. */
export interface Level extends Segment {
  /** Ends of the level's 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/** What became of a cell in a metric, in one setting. */
export interface SeriesChanges {
  readonly levels: readonly Level[];
  readonly changes: readonly Change[];
  readonly slow: SlowChange | undefined;
}

/** What takes long to find in a series and follows from its values alone. */
export interface SeriesFit {
  readonly segments: readonly Segment[];
  readonly creep: Creep | undefined;
}

/**
 * Gives the fit of a series that was found before, or finds it.
 *
 * @param digest - of all that the fit follows from, but the code
 * @param find - finds it
 */
export type FitMemory = (digest: string, find: () => SeriesFit) => SeriesFit;

/**
 * Where the level of a series changed, and whether it creeps.
 *
 * @param points - of one cell and metric in one setting, in the order of commits
 * @param metric - of the points
 * @param thresholds - from which size on a change matters
 * @param fits - what was found before; left out, everything is found anew
 */
export function changesOf(
  points: readonly HistoryPoint[],
  metric: HistoryMetric,
  thresholds: Thresholds,
  fits: FitMemory = (_, find) => find(),
): SeriesChanges {
  const values = points.map(({ estimate: { value, low, high } }) => ({
    value,
    error: isExact(metric) ? 0 : (high - low) / 2,
  }));
  const threshold = thresholdOf(metric, thresholds);
  const fit = fits(
    hashJson([metric, threshold, values.map(({ value, error }) => [value, String(error)])]),
    () => fitOf(values, metric, threshold),
  );
  const levels = fit.segments.map((segment) => ({
    ...segment,
    low: segment.level - segment.error,
    high: segment.level + segment.error,
  }));
  const changes = levels
    .slice(1)
    .map((after, place) =>
      changeBetween(defined(levels[place], 'the level before'), after, points, metric, thresholds),
    );
  return { levels, changes, slow: slowChange(fit, metric) };
}

/** Levels of a series, and how it creeps, as a share of where it starts. */
function fitOf(
  values: readonly { readonly value: number; readonly error: number }[],
  metric: HistoryMetric,
  threshold: number,
): SeriesFit {
  if (!isExact(metric)) {
    const segments = changePoints(values);
    return { segments, creep: creep(values, threshold, segments) };
  }
  const segments = exactLevels(
    values.map(({ value }) => value),
    (first, value) => changeOf(metric, first, value) >= threshold,
  );
  const [first] = segments;
  if (first === undefined) return { segments, creep: undefined };
  // What is 0 has no logarithm, as that of nothing right at all.
  const least = isScore(metric) ? LEAST_SCORE : 0;
  const positive = values.map(({ value, error }) => ({ value: Math.max(least, value), error }));
  return { segments, creep: creep(positive, threshold / startOf(first, metric)) };
}

/** By what shares of a series become its unit: those of scores are differences. */
function startOf({ level }: Segment, metric: HistoryMetric): number {
  return isScore(metric) ? Math.max(LEAST_SCORE, level) : 1;
}

function changeBetween(
  before: Level,
  after: Level,
  points: readonly HistoryPoint[],
  metric: HistoryMetric,
  thresholds: Thresholds,
): Change {
  const last = defined(points[before.to], 'the last point of a level');
  const first = defined(points[after.from], 'the first point of a level');
  const paired = pairedOf(last, first);
  const size = paired?.size ?? ratio(before, after);
  const newest = after.to === points.length - 1;
  const significant = paired ? paired.p <= SIGNIFICANCE : size.low > 0 || size.high < 0;
  const threshold = thresholdOf(metric, thresholds);
  const doubts: readonly (readonly [Doubt, boolean])[] = [
    ['not significant', !significant],
    ['below the threshold', Math.abs(size.value) < threshold],
    ['same commit', sameCode(last.run, first.run)],
    ['one run only', !isExact(metric) && newest && after.from === after.to],
  ];
  return {
    direction: directionOf(metric, size.value),
    ...placeOf(before, after, points, metric),
    size,
    ...{ before: before.level, after: after.level, lastBefore: last.run, firstAfter: first.run },
    gradual: jumpOf(points, after, metric) < threshold,
    ...{ index: after.from, runs: after.to - after.from + 1, newest },
    doubt: doubts.find(([, holds]) => holds)?.[0],
  };
}

/** How sure a range must be. */
const CONFIDENCE = 0.95;

/** Where a level changed, as likely as Bayes' theorem says of the points of both levels; figures without any noise tell it. */
function placeOf(
  before: Level,
  after: Level,
  points: readonly HistoryPoint[],
  metric: HistoryMetric,
): Pick<Change, 'probability' | 'range'> {
  const own = points.slice(before.from, after.to + 1);
  const centre = after.from - before.from;
  const probabilities = isExact(metric)
    ? own.map((_, index) => Number(index === centre))
    : changeLocation(
        own.map(({ estimate }) => Math.log(estimate.value)),
        variancesOf(own, before, after),
      );
  const { from, to, probability } = likelyRange(probabilities, centre, CONFIDENCE);
  // What is left to chance is never certain, whatever rounding says.
  const most = isExact(metric) ? 1 : 1 - Number.EPSILON;
  return {
    probability: Math.min(most, probabilities[centre] ?? 0),
    range: {
      // A first run at a new level has one before it.
      lastBefore: defined(own[Math.max(1, from) - 1], 'the last run before a range').run,
      firstAfter: defined(own[to], 'the last run of a range').run,
      probability: Math.min(most, probability),
    },
  };
}

/** Of the logarithms of points: what their intervals say, or how they scatter about their levels, if that is more. */
function variancesOf(own: readonly HistoryPoint[], before: Level, after: Level): number[] {
  const residuals = own.map(({ estimate }, index) =>
    Math.log(estimate.value / (index < after.from - before.from ? before : after).level),
  );
  const scatter = residuals.reduce((sum, residual) => sum + residual ** 2, 0) / Math.max(1, own.length - 2);
  return own.map(({ estimate: { value, low, high } }) =>
    Math.max(scatter, ((high - low) / 2 / NORMAL_HALF_WIDTH / value) ** 2, LEAST_VARIANCE),
  );
}

/** Of a 95 % interval, in standard deviations. */
const NORMAL_HALF_WIDTH = 1.96;

/** Nothing that is timed is surer than a ten-thousandth. */
const LEAST_VARIANCE = 1e-8;

/** How far the points right before a level and right after it lie apart, in the unit of thresholds. */
function jumpOf(points: readonly HistoryPoint[], { from, to }: Level, metric: HistoryMetric): number {
  const near = (start: number, end: number): number =>
    median(points.slice(start, end).map(({ estimate }) => estimate.value));
  const before = near(Math.max(0, from - NEARBY), from);
  const after = near(from, Math.min(to + 1, from + NEARBY));
  return changeOf(metric, before, after);
}

/**
 * Whether nothing of a metric is left to chance: the same images, the same graph, so that two runs of one model give the same answers,
 * whatever Wilson's interval says of other images; and a file has the size that it has.
 */
function isExact(metric: HistoryMetric): boolean {
  return isScore(metric) || metric === 'file';
}

/** Whether a change of a metric is a difference, and no ratio. */
function isScore(metric: HistoryMetric): metric is 'accuracy' | 'cosine' {
  return metric === 'accuracy' || metric === 'cosine';
}

function thresholdOf(metric: HistoryMetric, thresholds: Thresholds): number {
  return isScore(metric) ? thresholds[metric] : thresholds.ratio;
}

/** How far two values lie apart, in the unit of thresholds. */
function changeOf(metric: HistoryMetric, before: number, after: number): number {
  return Math.abs(isScore(metric) ? after - before : after / before - 1);
}

function slowChange({ segments, creep }: SeriesFit, metric: HistoryMetric): SlowChange | undefined {
  const [first] = segments;
  if (first === undefined || creep === undefined) return undefined;
  const size = creep.change * startOf(first, metric);
  return { direction: directionOf(metric, size), size, p: creep.p };
}

/**
 * What holds of a series as it is now for the worse: the newest change that counts, when it is one for the worse, or that it
 * creeps.
 *
 * @param series - any
 */
export function isWorseNow({ changes, slow }: SeriesChanges): boolean {
  return (
    changes.findLast(({ doubt }) => doubt === undefined)?.direction === 'worse' || slow?.direction === 'worse'
  );
}

function directionOf(metric: HistoryMetric, size: number): Change['direction'] {
  return size > 0 === isBetterHigher(metric) ? 'better' : 'worse';
}

/** After ÷ before − 1; errors of the logarithms add up in squares. */
function ratio(before: Level, after: Level): Estimate {
  const centre = Math.log(after.level / before.level);
  const half = Math.hypot(before.error / before.level, after.error / after.level);
  return {
    value: Math.expm1(centre),
    low: Math.expm1(centre - half),
    high: Math.expm1(centre + half),
  };
}

function shareOf({ value, low, high }: Estimate): Estimate {
  return { value: value / 100, low: low / 100, high: high / 100 };
}

/**
 * What two runs say of the same images, by the tests that are used everywhere: McNemar's exact one of right answers, the paired t-test of
 * cosines. Undefined for figures that are not of images one by one; runs on other images are of another series.
 */
function pairedOf(
  before: HistoryPoint,
  after: HistoryPoint,
): { readonly size: Estimate; readonly p: number } | undefined {
  if (before.right && after.right) {
    const images = after.right.length;
    const outcomes = pairedOutcomes(new Uint8Array(images).fill(1), after.right, before.right);
    return { size: shareOf(pairedDifference(outcomes, images)), p: mcnemar(outcomes) };
  }
  if (before.cosines === undefined || after.cosines === undefined) return undefined;
  const { change, p } = pairedMeanDifference(before.cosines, after.cosines);
  return { size: change, p };
}

function sameCode({ repository: before }: HistoryRun, { repository: after }: HistoryRun): boolean {
  return before !== null && after !== null && before.commit === after.commit && !before.dirty && !after.dirty;
}
