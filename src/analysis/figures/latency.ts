import { mean, median } from 'simple-statistics';
import { geometricMean } from '../../stats/geometric.js';
import type { Estimate } from '../../stats/interval.js';
import { medianEstimate } from '../../stats/median.js';
import { tailEstimate } from '../../stats/early-stopping.js';
import { outlierFlags } from '../../stats/outliers.js';
import { pairedRatio } from '../../stats/ratio.js';
import type { StoredCell } from '../../store/read.js';
import type { Stopping } from '../../store/stopping.js';
import { memoryOf, type MemoryFigures } from './memory.js';
import { flagsOf, type Flag } from './validity.js';

/** How fast a variant answers on a device at a batch size. */
export interface LatencyFigures {
  readonly batch: number;
  readonly tier: string;
  readonly queries: number;
  readonly rounds: number;
  /**
   * The median of a round, in milliseconds: the geometric mean over the rounds with Student's 95 % interval. Of one round alone
   * it is the median of its queries between order statistics, which say nothing of the next process.
   */
  readonly median: Estimate;
  /**
   * 90 % and 99 % of all queries take no longer, with 99 % confidence, in milliseconds; undefined with too few queries to say
   * so.
   */
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  /** How many times as fast as the baseline, with a 95 % interval over the rounds; undefined for the baseline. */
  readonly speedup: Estimate | undefined;
  /** Undefined where the device does not tell. */
  readonly memory: MemoryFigures | undefined;
  /** Rounds that never reached a steady state before they were timed. */
  readonly unsteadyRounds: number;
  /** What speaks against the figures. */
  readonly flags: readonly Flag[];
  /** Why there are no more rounds; undefined where their number was fixed, and for a baseline. */
  readonly stopping: Stopping | undefined;
  /** Queries that are outliers within their round; they count like all others. */
  readonly outliers: number;
  /** Means over the rounds of the first run and of loading, in milliseconds; NaN where a round does not tell. */
  readonly firstRun: number;
  readonly load: number;
  /** Latencies by round, in order, in milliseconds. */
  readonly samples: ReadonlyMap<number, readonly number[]>;
}

/**
 * What a cell of performance says.
 *
 * @param cell - a done cell of performance
 * @param baseline - the baseline's cell at the same batch size; undefined when there is none, or when the cell is the
 *   baseline's
 * @returns undefined when no query was timed
 */
export function latencyOf(cell: StoredCell, baseline: StoredCell | undefined): LatencyFigures | undefined {
  const samples = samplesByRound(cell);
  const all = [...samples.values()].flat();
  if (all.length === 0) return undefined;
  return {
    batch: cell.row.batch,
    tier: cell.row.tier ?? '',
    queries: all.length,
    rounds: cell.rounds.length,
    median: typicalLatency([...samples.values()]),
    p90: tailEstimate(all, 0.9)?.value,
    p99: tailEstimate(all, 0.99)?.value,
    speedup: baseline && pairedRatio(samplesByRound(baseline), samples),
    memory: memoryOf(cell, baseline),
    unsteadyRounds: cell.rounds.filter(({ row }) => row.steady === 0).length,
    flags: flagsOf(cell),
    stopping: cell.stopping,
    outliers: [...samples.values()].reduce(
      (sum, round) => sum + outlierFlags(round).filter(Boolean).length,
      0,
    ),
    firstRun: mean(cell.rounds.map(({ phases }) => phases.get('first') ?? NaN)),
    load: mean(cell.rounds.map(({ phases }) => phases.get('load') ?? NaN)),
    samples,
  };
}

/**
 * The smallest sample that so many percent of all do not exceed: one that was measured, not one between two that were.
 *
 * @param samples - at least one
 * @param percent - above 0, at most 100
 */
export function nearestRank(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
}

/**
 * The latency of a cell: the median of a round, as a geometric mean over the rounds with Student's 95 % interval; of one round
 * alone the median of its queries between order statistics.
 *
 * @param rounds - latencies of each round
 */
export function typicalLatency(rounds: readonly (readonly number[])[]): Estimate {
  const medians = rounds.filter((round) => round.length > 0).map((round) => median([...round]));
  // A clock too coarse for a query gives medians of nothing, which have no logarithm.
  return medians.length > 1 && medians.every((each) => each > 0)
    ? geometricMean(medians)
    : medianEstimate(rounds.flat());
}

/**
 * Latencies of a cell by round, in milliseconds; rounds in which nothing was timed are left out.
 *
 * @param cell - a done cell of performance
 */
export function samplesByRound({ rounds }: StoredCell): ReadonlyMap<number, readonly number[]> {
  return new Map(
    rounds.filter(({ samples }) => samples.length > 0).map(({ row, samples }) => [row.round, samples]),
  );
}

/**
 * Images a second of batches one after the other: the batch over its latency.
 *
 * @param latency - of a batch, in milliseconds
 * @param batch - images
 */
export function throughputOf({ value, low, high }: Estimate, batch: number): Estimate {
  const images = 1000 * batch;
  return { value: images / value, low: images / high, high: images / low };
}
