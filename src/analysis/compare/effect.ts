import type { Obstacle } from './obstacle.js';
import { median } from 'simple-statistics';
import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedDifference, pairedOutcomes } from '../../stats/mcnemar.js';
import { pairedRatio, unpairedRatio } from '../../stats/ratio.js';
import type { StoredCell } from '../../store/read.js';
import { accuracyOf } from '../figures/accuracy.js';
import { nearestRank, samplesByRound, typicalLatency } from '../figures/latency.js';
import { peaksByRound, typicalPeak } from '../figures/memory.js';

/** What two cells are compared in. */
export const metrics = ['latency', 'p90', 'memory', 'accuracy', 'file'] as const;

export type Metric = (typeof metrics)[number];

/** How one cell differs from another in a metric. */
export interface Effect {
  readonly metric: Metric;
  /** Of the reference, in the metric's unit: milliseconds, bytes, share of right answers. */
  readonly reference: number;
  /** Of the other. */
  readonly value: number;
  /**
   * The change with its 95 % interval: value ÷ reference − 1; of accuracy, value − reference. Above 0 is slower, larger, or
   * more right answers.
   */
  readonly change: Estimate;
  /** How often chance alone makes so large a change; undefined where nothing is left to chance. */
  readonly p: number | undefined;
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
  /** Whether their rounds were measured in turn, so that those of one number can be compared with each other. */
  readonly interleaved: boolean;
  /** Whether the model can be right about these images at all: see `isScored`. */
  readonly scored: boolean;
}

/** Values of a cell by round. */
type ByRound = ReadonlyMap<number, readonly number[]>;

/**
 * How much longer a query takes: the ratio of the rounds' medians.
 *
 * @param reference - latencies by round, in milliseconds
 * @param own - the other's
 * @param interleaved - whether rounds of one number belong together
 */
export function latencyEffect(reference: ByRound, own: ByRound, interleaved: boolean): Effect | NoEffect {
  const typical = (samples: ByRound): number => typicalLatency([...samples.values()]).value;
  return ratioEffect('latency', reference, own, interleaved, typical);
}

/**
 * How two cells differ in a metric.
 *
 * @param metric - of the cells' kind
 * @param pair - two cells that are done
 */
export function effectOf(metric: Exclude<Metric, 'file'>, pair: CellPair): Effect | NoEffect {
  const { reference, cell, interleaved } = pair;
  switch (metric) {
    case 'latency':
      return latencyEffect(samplesByRound(reference), samplesByRound(cell), interleaved);
    case 'p90':
      return p90Effect(samplesByRound(reference), samplesByRound(cell), interleaved);
    case 'memory':
      return memoryEffect(pair);
    case 'accuracy':
      return accuracyEffect(pair);
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

function p90Effect(reference: ByRound, own: ByRound, interleaved: boolean): Effect | NoEffect {
  const slowest = (samples: ByRound): ByRound =>
    new Map([...samples].map(([round, values]) => [round, [nearestRank(values, 90)]]));
  const typical = (values: ByRound): number => median([...values.values()].flat());
  return ratioEffect('p90', slowest(reference), slowest(own), interleaved, typical);
}

function memoryEffect({ reference, cell, interleaved }: CellPair): Effect | NoEffect {
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

function ratioEffect(
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
