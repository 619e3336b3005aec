import { mean, median, sum } from 'simple-statistics';
import { geometricMean } from '../../stats/geometric.js';
import type { Estimate } from '../../stats/interval.js';
import { outlierFlags } from '../../stats/outliers.js';
import { pairedRatio, type RatioEstimate } from '../../stats/ratio.js';
import { tailOverRounds } from '../../stats/tail.js';
import type { StoredCell } from '../../store/read.js';
import type { Stopping } from '../../store/stopping.js';
import { gpuBuffersOf, memoryOf, type MemoryFigures } from './memory.js';
import { alikeRounds, soundnessOf, soundRounds, type Soundness } from './soundness.js';
import { flagsOf, type Flag } from './validity.js';

/** How fast a variant answers on a device at a batch size. */
export interface LatencyFigures {
  readonly batch: number;
  readonly tier: string;
  readonly queries: number;
  readonly rounds: number;
  /** The median of a round, in milliseconds: see `typicalLatency`. */
  readonly median: Estimate;
  /** 90 % and 99 % of a round's queries take no longer, in milliseconds: see `tailOverRounds`. */
  readonly p90: Estimate | undefined;
  readonly p99: Estimate | undefined;
  /** Images a second: see `throughputOf`. */
  readonly throughput: Estimate | undefined;
  /** Processor time of a query, of all threads, in milliseconds: see `cpuTimeOf`. Undefined where the device does not tell. */
  readonly cpuTime: Estimate | undefined;
  /**
   * How many times as fast as the baseline, with a 95 % interval over the rounds in which both were measured alike; undefined for the
   * baseline, and where others disturbed most rounds of one of the two.
   */
  readonly speedup: RatioEstimate | undefined;
  /** How many times less processor time than the baseline's a query takes; others that use the machine hardly change it. */
  readonly cpuSaving: RatioEstimate | undefined;
  /** Whether the latency is as others left it: which rounds count, and whether a verdict can be given. */
  readonly soundness: Soundness;
  /** Undefined where the device does not tell. */
  readonly memory: MemoryFigures | undefined;
  /** Of GPU buffers, in bytes: see `gpuBuffersOf`. Undefined where there are none. */
  readonly gpuBuffers: Estimate | undefined;
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
  const rounds = [...samples.values()];
  const all = rounds.flat();
  if (all.length === 0) return undefined;
  const soundness = soundnessOf(cell);
  return {
    batch: cell.row.batch,
    tier: cell.row.tier ?? '',
    queries: all.length,
    rounds: samples.size,
    median: typicalLatency(rounds),
    p90: tailOverRounds(rounds, 0.9),
    p99: tailOverRounds(rounds, 0.99),
    throughput: throughputOf(rounds, cell.row.batch),
    cpuTime: cpuTimeOf(cell),
    speedup: baseline && speedupOf(baseline, cell),
    cpuSaving: baseline && pairedRatio(cpuByRound(baseline), cpuByRound(cell)),
    soundness,
    memory: memoryOf(cell, baseline),
    gpuBuffers: gpuBuffersOf(cell),
    unsteadyRounds: cell.rounds.filter(({ row }) => row.steady === 0).length,
    flags: flagsOf(cell),
    stopping: cell.stopping,
    outliers: sum(rounds.map((round) => outlierFlags(round).filter(Boolean).length)),
    firstRun: mean(cell.rounds.map(({ phases }) => phases.get('first') ?? NaN)),
    load: mean(cell.rounds.map(({ phases }) => phases.get('load') ?? NaN)),
    samples,
  };
}

/**
 * The latency of a cell: the median of a round, as a geometric mean over the rounds with Student's 95 % interval. One round alone
 * says nothing of the next process: then there is no interval, and its ends are the value.
 *
 * @param rounds - latencies of each round
 */
export function typicalLatency(rounds: readonly (readonly number[])[]): Estimate {
  const medians = rounds.filter((round) => round.length > 0).map((round) => median([...round]));
  // A clock too coarse for a query gives medians of nothing, which have no logarithm.
  return medians.every((each) => each > 0) ? geometricMean(medians) : alone(median(rounds.flat()));
}

/**
 * The latency of a cell alone, where nothing else of `latencyOf` is wanted: see `typicalLatency`.
 *
 * @param cell - a done cell of performance
 * @returns milliseconds; undefined when no query was timed
 */
export function medianOf(cell: StoredCell): Estimate | undefined {
  const rounds = [...samplesByRound(cell).values()];
  return rounds.some((round) => round.length > 0) ? typicalLatency(rounds) : undefined;
}

/**
 * Latencies of a cell by round, in milliseconds: of the rounds that count, see `soundnessOf`.
 *
 * @param cell - a done cell of performance
 */
export function samplesByRound(cell: StoredCell): ReadonlyMap<number, readonly number[]> {
  return soundRounds(cell, ({ samples }) => samples);
}

/**
 * Images a second of batches one after the other: the images of a round over the time of its queries, as a geometric mean over the
 * rounds with Student's 95 % interval. What a few slow queries take is part of it, unlike of the median.
 *
 * @param rounds - latencies of each round, in milliseconds
 * @param batch - images of a query
 * @returns undefined where a round took no time
 */
export function throughputOf(rounds: readonly (readonly number[])[], batch: number): Estimate | undefined {
  const rates = rounds.map((samples) => (1000 * batch * samples.length) / sum(samples));
  return rates.length > 0 && rates.every(Number.isFinite) ? geometricMean(rates) : undefined;
}

/**
 * Processor time of a query, of all threads of the agent, in milliseconds: that of the timed phase over its queries, as a geometric
 * mean over the rounds with Student's 95 % interval. Unlike latency it hardly changes when others use the machine.
 *
 * @param cell - a done cell of performance
 * @returns undefined where the device does not tell
 */
function cpuTimeOf(cell: StoredCell): Estimate | undefined {
  const times = [...cpuByRound(cell).values()].flat();
  return times.length > 0 ? geometricMean(times) : undefined;
}

/** One value for each round that tells. */
function cpuByRound({ rounds }: StoredCell): ReadonlyMap<number, readonly number[]> {
  return new Map(
    rounds.flatMap(({ row, samples, cpuPhases }) => {
      const taken = cpuPhases.get('steady') ?? 0;
      return taken > 0 && samples.length > 0 ? [[row.round, [taken / samples.length]] as const] : [];
    }),
  );
}

function speedupOf(baseline: StoredCell, cell: StoredCell): RatioEstimate | undefined {
  if (!soundnessOf(baseline).decides || !soundnessOf(cell).decides) return undefined;
  const { reference, cell: own } = alikeRounds(baseline, cell, ({ samples }) => samples);
  return pairedRatio(reference, own);
}

function alone(value: number): Estimate {
  return { value, low: value, high: value };
}
