import { mean } from 'simple-statistics';
import type { CellFailure } from '../../protocol/failure.js';
import { parseFailure } from '../../protocol/failure.js';
import { times } from '../../stats/arithmetic.js';
import type { Estimate } from '../../stats/interval.js';
import { quantileEstimate } from '../../stats/quantile.js';
import { tailOverRounds } from '../../stats/tail.js';
import type { StoredCell, StoredDevice, StoredRun } from '../../store/read.js';
import { accuracyOf, isScored } from '../figures/accuracy.js';
import { samplesByRound, throughputOf, typicalLatency } from '../figures/latency.js';
import { loadOf } from '../figures/load.js';
import { memoryOf } from '../figures/memory.js';
import { soundnessOf } from '../figures/soundness.js';
import { deviceLabel, isEmulated, recipeLabel } from '../label.js';
import { storedProfileOf } from '../sessions.js';

/** What is asked of each run. */
export interface Question {
  /** Images of a query. */
  readonly batch: number;
  /** Which latency is told, 0 < quantile < 1. */
  readonly quantile: number;
}

/** How fast a variant is on a device, as one run saw it. */
export interface TimedFacts {
  /** Milliseconds at the quantile that was asked for. */
  readonly latency: Estimate;
  /** Whether that quantile is known: enough queries, several rounds, nothing that disturbed them. */
  readonly latencyIsSure: boolean;
  /** Images a second. */
  readonly throughput: Estimate | undefined;
  /** What makes speed unsure; undefined where nothing does. */
  readonly doubt: 'one round' | 'disturbed' | undefined;
  /** Peak over the runtime's base in bytes, with the least and the most that a round took. */
  readonly memory: Estimate | undefined;
  /** Mean power of each round while queries were timed; undefined where nothing measured it. */
  readonly watts: Estimate | undefined;
}

/** Which load a variant bears on a device, as a cell of kind `server` of one run saw it. */
export interface ServedFacts {
  /** Images a second, of queries that arrive at random; undefined where a round found no rate that holds. */
  readonly rate: Estimate | undefined;
  /** That the p99 of the response time keeps to, waiting included, in milliseconds. */
  readonly bound: number;
  /** Whether there are several rounds, and nothing disturbed too many of them. */
  readonly isSure: boolean;
}

/** The images that accuracies are about. */
export interface ImageSet {
  readonly name: string;
  readonly hash: string;
}

/** A variant on a device in a run. */
export interface Observation {
  readonly runId: string;
  readonly startedAt: string;
  /** As the catalogue calls it. */
  readonly device: string;
  /** As tables call it. */
  readonly deviceLabel: string;
  /** What must be the same for two runs to have measured the same machine. */
  readonly hardware: string;
  /** Not the hardware: an emulated board, or a GPU that is software. */
  readonly emulated: boolean;
  readonly model: string;
  readonly recipe: string;
  /** What was measured: the same only for the same weights, recipe and code that made it. */
  readonly artifact: string;
  readonly timed: TimedFacts | undefined;
  readonly served: ServedFacts | undefined;
  /** The images that the run is about. */
  readonly images: ImageSet;
  /** Share of right answers; undefined where nobody scored it. */
  readonly top1: Estimate | undefined;
  /** Whether there can be no accuracy: weights without training, or classes that are not those of the images. */
  readonly unscorable: boolean;
  /** Why it could not be measured, where it could not. */
  readonly failure: CellFailure | undefined;
}

/** What a run says to a question. */
export interface Observed {
  readonly observations: readonly Observation[];
  /** Batch sizes that were timed. */
  readonly batches: readonly number[];
}

/** What a run says, whatever batch size is asked for. */
export interface ObservedBatches {
  /** By the batch sizes that it has cells of. */
  readonly byBatch: ReadonlyMap<number, Observed>;
  /** To all others. */
  readonly other: Observed;
}

/** No query has so few images. */
const NO_BATCH = 0;

/**
 * What a run says of every variant on every device at every batch size.
 *
 * @param run - as it is stored
 * @param quantile - which latency is told, 0 < quantile < 1
 */
export function observeBatches(run: StoredRun, quantile: number): ObservedBatches {
  const batches = new Set(run.cells.map(({ row }) => row.batch));
  return {
    byBatch: new Map([...batches].map((batch) => [batch, observe(run, { batch, quantile })])),
    other: observe(run, { batch: NO_BATCH, quantile }),
  };
}

/**
 * What a run says at a batch size.
 *
 * @param observed - of the run
 * @param batch - images of a query
 */
export function atBatch({ byBatch, other }: ObservedBatches, batch: number): Observed {
  return byBatch.get(batch) ?? other;
}

/**
 * What a run says of every variant on every device.
 *
 * @param run - as it is stored
 * @param question - what is asked
 */
export function observe(run: StoredRun, question: Question): Observed {
  const observations = run.devices.flatMap((device) =>
    run.variants.map((variant): Observation => {
      const cells = run.cells.filter((cell) => cell.device === device && cell.variant === variant);
      const scored = isScored(variant, run.data);
      const accuracyCell = cells.find(({ row }) => row.kind === 'accuracy' && row.status === 'done');
      const top1 = accuracyCell && accuracyOf(accuracyCell, undefined, scored)?.top1;
      return {
        ...{ runId: run.row.id, startedAt: run.row.started_at },
        device: catalogueName(device),
        deviceLabel: deviceLabel(device),
        hardware: hardwareOf(device),
        emulated: isEmulated(device),
        ...{ model: variant.model, recipe: recipeLabel(variant), artifact: variant.artifact },
        timed: timedFacts(
          cells.find((cell) => isTimed(cell, question.batch)),
          question.quantile,
        ),
        served: servedFacts(
          cells.find(
            ({ row }) => row.kind === 'server' && row.status === 'done' && row.batch === question.batch,
          ),
        ),
        images: { name: run.data.name, hash: run.data.hash },
        top1,
        unscorable: !scored,
        failure: failureOf(cells, question.batch),
      };
    }),
  );
  const batches = run.cells
    .filter((cell) => isTimed(cell, cell.row.batch) && samplesByRound(cell).size > 0)
    .map(({ row }) => row.batch);
  return { observations, batches: [...new Set(batches)] };
}

/** The name in the device's profile, by which the catalogue knows it; of runs that did not store one, the device's. */
export function catalogueName(device: StoredDevice): string {
  const profile = storedProfileOf(device);
  const name =
    typeof profile === 'object' && profile !== null && 'name' in profile ? profile.name : undefined;
  return typeof name === 'string' ? name : device.row.name;
}

/** Processor, cores, adapter and threads: software may change on a machine, and the newest run knows it best. */
function hardwareOf({ environment: { cpu, gpu }, row }: StoredDevice): string {
  return [
    cpu.model,
    ...(cpu.logicalCores === null ? [] : [`${cpu.logicalCores} cores`]),
    `${row.threads} ${row.threads === 1 ? 'thread' : 'threads'}`,
    ...(gpu ? [[gpu.vendor, gpu.architecture, gpu.device].filter(Boolean).join(' ')] : []),
  ].join(', ');
}

function isTimed({ row }: StoredCell, batch: number): boolean {
  return row.kind === 'performance' && row.status === 'done' && row.batch === batch;
}

function failureOf(cells: readonly StoredCell[], batch: number): CellFailure | undefined {
  const failed = cells.find(
    ({ row: { status, kind, batch: own } }) =>
      (status === 'failed' || status === 'unsupported') &&
      // Whether it can be classified and which kernels run says something of it at any batch size.
      (kind === 'accuracy' || kind === 'kernels' || (kind === 'performance' && own === batch)),
  );
  return failed && parseFailure(failed.row.reason ?? 'no reason was stored');
}

function timedFacts(cell: StoredCell | undefined, quantile: number): TimedFacts | undefined {
  if (cell === undefined) return undefined;
  const rounds = [...samplesByRound(cell).values()];
  if (!rounds.some((samples) => samples.length > 0)) return undefined;
  const { decides } = soundnessOf(cell);
  const latency = latencyAt(rounds, quantile);
  const doubt = rounds.length < 2 ? 'one round' : decides ? undefined : 'disturbed';
  return {
    latency: latency.estimate,
    latencyIsSure: latency.isCovered && doubt === undefined,
    throughput: throughputOf(rounds, cell.row.batch),
    doubt,
    memory: memoryOf(cell, undefined)?.range,
    watts: wattsOf(cell),
  };
}

function servedFacts(cell: StoredCell | undefined): ServedFacts | undefined {
  const figures = cell && loadOf(cell, undefined);
  if (figures?.kind !== 'server') return undefined;
  const { rate, batch, bound, rounds, soundness } = figures;
  return {
    rate: rate && times(rate, batch),
    ...{ bound, isSure: rounds > 1 && soundness.decides },
  };
}

const MEDIAN = 0.5;

/** What `quantileEstimate` keeps to where there are queries enough. */
const CONFIDENCE = 0.95 - 1e-9;

/**
 * The quantile over all queries with its distribution-free interval, widened to the quantiles of the single rounds: processes
 * differ by more than the queries of one do, and the next process is another one. Not covered where the queries are too few for a bound
 * on this quantile: that it lies below the largest one seen is not known.
 */
function latencyAt(
  rounds: readonly (readonly number[])[],
  quantile: number,
): { readonly estimate: Estimate; readonly isCovered: boolean } {
  const pooled = quantileEstimate(rounds.flat(), quantile);
  const single = rounds.map((samples) => quantileEstimate(samples, quantile).value);
  // Median and tails are those of reports; where a round has too few queries for the tail it is that of all together.
  const { value } =
    quantile === MEDIAN ? typicalLatency(rounds) : (tailOverRounds(rounds, quantile) ?? pooled);
  return {
    estimate: { value, low: Math.min(pooled.low, ...single), high: Math.max(pooled.high, ...single) },
    isCovered: pooled.coverage >= CONFIDENCE,
  };
}

/** Mean power of each round while queries were timed, over the rounds: their mean, the least and the most. */
function wattsOf({ rounds }: StoredCell): Estimate | undefined {
  const means = rounds.flatMap(({ conditions }) => {
    const seen = conditions
      .filter(({ phase }) => phase === 'steady')
      .flatMap(({ conditions: { watts } }) => (watts === undefined ? [] : [watts]));
    return seen.length > 0 ? [mean(seen)] : [];
  });
  if (means.length === 0) return undefined;
  return { value: mean(means), low: Math.min(...means), high: Math.max(...means) };
}
