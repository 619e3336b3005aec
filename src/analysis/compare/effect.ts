import type { Metric } from '../../base/metric.js';
import type { Obstacle } from './obstacle.js';
import { median } from 'simple-statistics';
import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedDifference, pairedOutcomes } from '../../stats/mcnemar.js';
import { meanEstimate, pairedMeanDifference } from '../../stats/mean.js';
import { pairedRatio, unpairedRatio } from '../../stats/ratio.js';
import { medianUnbiased } from '../../stats/tail.js';
import type { StoredCell } from '../../store/read.js';
import type { StoredRound } from '../../store/rounds.js';
import { accuracyOf } from '../figures/accuracy.js';
import { scoredAlike } from '../figures/features.js';
import { typicalLatency } from '../figures/latency.js';
import { loadFigure, loadOf } from '../figures/load.js';
import { alikeRounds, soundnessOf, soundRounds } from '../figures/soundness.js';
import { memoryMeansOf, peaksByRound, typicalPeak } from '../figures/memory.js';

/** How one cell differs from another in a metric. */
export interface Effect {
  readonly metric: Metric;
  /** Of the reference, in the metric's unit: milliseconds, bytes, share of right answers, mean cosine, queries or images a second. */
  readonly reference: number;
  /** Of the other. */
  readonly value: number;
  /**
   * The change with its 95 % interval: value ÷ reference − 1; of accuracy and cosines, value − reference. Above 0 is slower, larger,
   * more right answers, or features that lie nearer to fp32's.
   */
  readonly change: Estimate;
  /** How often chance alone makes so large a change; undefined where nothing is left to chance. */
  readonly p: number | undefined;
  /**
   * The latency as a multiple of fp32's in the same rounds, of the reference and of the other: what the change is of, where two runs
   * are compared. A machine that is twice as slow as before is so for both, and cancels. Undefined of other metrics, of fp32 itself,
   * and where a run has no fp32.
   */
  readonly relative?: { readonly reference: number; readonly value: number } | undefined;
  /** What it rests on: rounds of the one with fewer, images of accuracy, 1 of a file. */
  readonly observations: number;
}

/** Why two cells cannot be compared in a metric, in words. */
export interface NoEffect {
  readonly obstacle: Obstacle;
}

/** Two cells of the same scenario. */
export interface CellPair {
  readonly reference: StoredCell;
  readonly cell: StoredCell;
  /** Whether their rounds were measured in turn, so that those of one number can be compared with each other: of one run, or of two. */
  readonly interleaved: boolean;
  /** The fp32 cells of both, of the same runs and scenario; undefined where there are none, and for fp32 itself. */
  readonly baselines?: { readonly reference: StoredCell; readonly cell: StoredCell } | undefined;
  /** Whether the model can be right about these images at all: see `isScored`. */
  readonly scored: boolean;
}

/** Values of a cell by round. */
type ByRound = ReadonlyMap<number, readonly number[]>;

/** What is measured of a round: one number. */
type OfRound = (round: StoredRound) => number;

const medianOf: OfRound = ({ samples }) => median([...samples]);
const slowestTenth: OfRound = ({ samples }) => medianUnbiased(samples, 0.9);

/**
 * How much longer a query takes, or how many more a second are served. Of one run, and of two that were measured in turn, it is the ratio of
 * the rounds. Of two runs that lie apart it is the ratio of the variants' ratios to fp32, each within its run and its rounds; of fp32
 * itself, and without one, it is the ratio of the latencies.
 */
function timedEffect(
  metric: 'latency' | 'p90' | 'rate' | 'throughput',
  of: OfRound,
  pair: CellPair,
): Effect | NoEffect {
  const { reference, cell, interleaved, baselines } = pair;
  const disturbed =
    disturbedIn('reference', reference, baselines?.reference) ?? disturbedIn('new', cell, baselines?.cell);
  if (disturbed !== undefined) return { obstacle: disturbed };
  const figure = (round: StoredRound): readonly number[] => [of(round)];
  const typical = (values: ByRound): number => typicalLatency([...values.values()]).value;
  const absolute = (theirs: ByRound, own: ByRound): Effect | NoEffect =>
    ratioEffect(metric, theirs, own, interleaved, typical);
  if (interleaved) {
    const alike = alikeRounds(reference, cell, figure);
    return absolute(alike.reference, alike.cell);
  }
  const [theirs, own] = [soundRounds(reference, figure), soundRounds(cell, figure)];
  if (baselines === undefined) return absolute(theirs, own);
  const relative = (baseline: StoredCell, variant: StoredCell): ByRound => {
    const { reference: before, cell: after } = alikeRounds(baseline, variant, figure);
    return new Map(
      [...after].map(([round, [value = NaN]]) => [round, [value / (before.get(round)?.[0] ?? NaN)]]),
    );
  };
  const [then, now] = [relative(baselines.reference, reference), relative(baselines.cell, cell)];
  const effect = ratioEffect(metric, then, now, interleaved, typical);
  if ('obstacle' in effect) return effect;
  const ratios = { reference: effect.reference, value: effect.value };
  return { ...effect, reference: typical(theirs), value: typical(own), relative: ratios };
}

/** Of a load; where a round of either found no rate there is nothing to compare. */
function loadEffect(metric: 'rate' | 'throughput', pair: CellPair): Effect | NoEffect {
  const { reference, cell, baselines } = pair;
  const obstacle =
    noRateIn('reference', reference) ??
    noRateIn('new', cell) ??
    (baselines && (noRateIn('reference', baselines.reference) ?? noRateIn('new', baselines.cell)));
  return obstacle ? { obstacle } : timedEffect(metric, loadFigure(cell), pair);
}

function noRateIn(run: 'reference' | 'new', cell: StoredCell): Obstacle | undefined {
  if (cell.row.kind !== 'server') return undefined;
  const found = loadOf(cell, undefined);
  if (found?.kind !== 'server' || found.missed === 0) return undefined;
  const { missed, rounds, bound, hopeless } = found;
  return { kind: hopeless ? 'bound-not-met' : 'no-rate-found', run, bound, missed, rounds };
}

function disturbedIn(
  run: 'reference' | 'new',
  cell: StoredCell,
  baseline: StoredCell | undefined,
): Obstacle | undefined {
  const found = [cell, ...(baseline ? [baseline] : [])].map(soundnessOf).find(({ decides }) => !decides);
  const [by] = found?.by ?? [];
  return by && { kind: 'disturbed', run, by };
}

/**
 * How two cells differ in a metric.
 *
 * @param metric - of the cells' kind
 * @param pair - two cells that are done
 */
export function effectOf(metric: Exclude<Metric, 'file'>, pair: CellPair): Effect | NoEffect {
  switch (metric) {
    case 'latency':
      return timedEffect('latency', medianOf, pair);
    case 'p90':
      return timedEffect('p90', slowestTenth, pair);
    case 'rate':
    case 'throughput':
      return loadEffect(metric, pair);
    case 'memory':
      return memoryEffect(pair);
    case 'accuracy':
      return accuracyEffect(pair);
    case 'cosine':
      return cosineEffect(pair);
  }
}

/**
 * How the size of a variant's files changed.
 *
 * @param reference - bytes
 * @param value - bytes
 */
export function fileEffect(reference: number, value: number): Effect {
  const change = value / reference - 1;
  return {
    ...{ metric: 'file', reference, value, p: undefined, observations: 1 },
    change: { value: change, low: change, high: change },
  };
}

function memoryEffect({ reference, cell, interleaved }: CellPair): Effect | NoEffect {
  const [before, after] = [memoryMeansOf(reference), memoryMeansOf(cell)];
  if (before.length > 0 && after.length > 0 && new Set([...before, ...after]).size > 1)
    return { obstacle: { kind: 'other-memory-means', reference: before, new: after } };
  const [theirs, own] = [peaksByRound(reference), peaksByRound(cell)];
  const all = [...theirs.values(), ...own.values()];
  if (theirs.size === 0 || own.size === 0) return { obstacle: { kind: 'no-memory' } };
  // A ratio of nothing says nothing.
  if (all.some((peak) => peak <= 0)) return { obstacle: { kind: 'peak-below-base' } };
  const single = (peaks: ReadonlyMap<number, number>): ByRound =>
    new Map([...peaks].map(([round, peak]) => [round, [peak]]));
  const typical = (peaks: ByRound): number => typicalPeak([...peaks.values()].flat()).value;
  return ratioEffect('memory', single(theirs), single(own), interleaved, typical);
}

function accuracyEffect({ reference, cell, scored }: CellPair): Effect | NoEffect {
  const [theirs, own] = [reference.predictions, cell.predictions];
  if (!scored) return { obstacle: { kind: 'no-accuracy' } };
  if (theirs === undefined || own === undefined) return { obstacle: { kind: 'no-predictions' } };
  if (!scoredAlike(reference.variant, cell.variant)) return { obstacle: { kind: 'other-scoring' } };
  const images = own.labels.length;
  if (theirs.labels.length !== images || theirs.labels.some((label, image) => label !== own.labels[image]))
    return { obstacle: { kind: 'other-images' } };
  const outcomes = pairedOutcomes(own.labels, own.predicted, theirs.predicted);
  const [before, after] = [reference, cell].map((each) => accuracyOf(each, undefined, scored)?.top1?.value);
  if (before === undefined || after === undefined) return { obstacle: { kind: 'no-accuracy' } };
  // The same class for every image: of such models there is nothing to estimate.
  const same = own.predicted.every((choice, image) => choice === theirs.predicted[image]);
  const { value, low, high } = pairedDifference(outcomes, images);
  return {
    ...{ metric: 'accuracy', reference: before, value: after },
    change: same ? { value: 0, low: 0, high: 0 } : { value: value / 100, low: low / 100, high: high / 100 },
    p: mcnemar(outcomes),
    observations: images,
  };
}

/** How much nearer features lie to fp32's than those of another run do to its own fp32's, on the same images. */
function cosineEffect({ reference, cell }: CellPair): Effect | NoEffect {
  const [theirs, own] = [reference.cosines, cell.cosines];
  const sameRun = reference.row.run_id === cell.row.run_id;
  if (sameRun || theirs === undefined || own === undefined) return { obstacle: { kind: 'no-cosines' } };
  if (!scoredAlike(reference.variant, cell.variant)) return { obstacle: { kind: 'other-scoring' } };
  if (theirs.length !== own.length || own.length < 2) return { obstacle: { kind: 'other-images' } };
  return {
    ...{ metric: 'cosine', reference: meanEstimate(theirs).value, value: meanEstimate(own).value },
    ...pairedMeanDifference(theirs, own),
    observations: own.length,
  };
}

/**
 * How figures of two cells differ, given round by round.
 *
 * @param metric - of the figures
 * @param reference - by round
 * @param own - the other's
 * @param interleaved - whether rounds of one number belong together
 * @param typical - the figure of a cell, from those of its rounds
 */
export function ratioEffect(
  metric: Metric,
  reference: ByRound,
  own: ByRound,
  interleaved: boolean,
  typical: (values: ByRound) => number,
): Effect | NoEffect {
  const observations = Math.min(reference.size, own.size);
  const ratio = interleaved
    ? pairedRatio(own, reference)
    : unpairedRatio([...own.values()], [...reference.values()]);
  if (ratio === undefined) return { obstacle: { kind: observations < 2 ? 'one-round' : 'no-common-rounds' } };
  return {
    ...{ metric, reference: typical(reference), value: typical(own), p: ratio.p, observations },
    change: { value: ratio.value - 1, low: ratio.low - 1, high: ratio.high - 1 },
  };
}
