import type { CellFailure } from '../../protocol/failure.js';
import { mean } from 'simple-statistics';
import type { Estimate } from '../../stats/interval.js';
import { quantileEstimate } from '../../stats/quantile.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import type { Analysis, VariantFigures } from '../analysis.js';
import { tailOverRounds } from '../../stats/tail.js';
import { samplesByRound, typicalLatency } from '../figures/latency.js';
import { soundnessOf } from '../figures/soundness.js';
import type { MemoryFigures } from '../figures/memory.js';
import { deviceLabel, isEmulated, variantLabel } from '../label.js';
import { profileOf } from '../sessions.js';
import type { Constraints } from './constraints.js';

/** Whether something is within its limit, as far as its uncertainty lets one say. */
export type Answer = 'meets' | 'fails' | 'cannot tell';

/** A quantity against its limit. */
export interface Test {
  readonly answer: Answer;
  /** Undefined where it was not measured. */
  readonly estimate: Estimate | undefined;
}

/** A variant on a device at a batch size, and what a buyer wants to know of it. */
export interface Candidate {
  readonly device: string;
  readonly variant: string;
  /** Not the hardware: an emulated board, or a GPU that the processor plays. Its timings say nothing of what it looks like. */
  readonly emulated: boolean;
  /** Of all constraints together: fails when one does, meets when all do. */
  readonly answer: Answer;
  /** By constraint; undefined for one that was not asked for. */
  readonly latency: Test | undefined;
  readonly memory: Test | undefined;
  readonly accuracy: Test | undefined;
  /** Share of right answers, asked for or not. */
  readonly top1: Estimate | undefined;
  /** Images a second. */
  readonly throughput: Estimate | undefined;
  /** Amount of money for each image a second. */
  readonly cost: (Estimate & { readonly currency: string }) | undefined;
  /** Joule for an image; `measured` in the run, or from the power that the profile states. */
  readonly energy: (Estimate & { readonly source: 'measured' | 'profile' }) | undefined;
  /** Why it could not be measured, where it could not. */
  readonly failure: CellFailure | undefined;
}

/**
 * What each variant on each device is, held against constraints.
 *
 * @param analysis - of a run
 * @param batch - the batch size that is asked about
 * @param constraints - the limits
 */
export function candidatesOf(analysis: Analysis, batch: number, constraints: Constraints): Candidate[] {
  return analysis.figures.map((figures) => candidateOf(figures, analysis, batch, constraints));
}

function candidateOf(
  figures: VariantFigures,
  analysis: Analysis,
  batch: number,
  constraints: Constraints,
): Candidate {
  const { device, variant } = figures;
  const { price, power } = profileOf(device);
  const cell = cellOf(analysis.run, figures, batch);
  const timing = figures.latencies.find((each) => each.batch === batch);
  const throughput = timing?.throughput;
  const latency = constraints.latency && latencyTest(cell, constraints.latency);
  const memory =
    constraints.memory === undefined ? undefined : memoryTest(timing?.memory, constraints.memory);
  const accuracy =
    constraints.accuracy === undefined
      ? undefined
      : accuracyTest(figures.accuracy?.top1, constraints.accuracy);
  const watts = wattsOf(cell, power?.load);
  return {
    device: deviceLabel(device),
    variant: variantLabel(variant, analysis),
    emulated: isEmulated(device),
    answer: together([latency, memory, accuracy]),
    ...{ latency, memory, accuracy, throughput, top1: figures.accuracy?.top1 },
    cost: price && throughput && { ...inverse(throughput, price.amount), currency: price.currency },
    energy: watts && throughput && { ...energyOf(watts, throughput), source: watts.source },
    failure: figures.failures.find(({ kind, batch: failed }) => kind !== 'performance' || failed === batch)
      ?.reason,
  };
}

function cellOf(run: StoredRun, { device, variant }: VariantFigures, batch: number): StoredCell | undefined {
  return run.cells.find(
    (cell) =>
      cell.device === device &&
      cell.variant === variant &&
      cell.row.status === 'done' &&
      cell.row.kind === 'performance' &&
      cell.row.batch === batch,
  );
}

/**
 * The quantile over all queries with its distribution-free interval, widened to the quantiles of the single rounds: processes
 * differ by more than the queries of one do, and the next process is another one.
 */
function latencyTest(
  cell: StoredCell | undefined,
  { milliseconds, quantile }: NonNullable<Constraints['latency']>,
): Test {
  const rounds = cell ? [...samplesByRound(cell).values()] : [];
  const all = rounds.flat();
  if (cell === undefined || all.length === 0) return { answer: 'cannot tell', estimate: undefined };
  const pooled = quantileEstimate(all, quantile);
  const single = rounds.map((samples) => quantileEstimate(samples, quantile).value);
  const estimate = {
    // Median and tails are those of reports; where a round has too few queries for the tail it is that of all together.
    value:
      quantile === MEDIAN ? typicalLatency(rounds).value : (tailOverRounds(rounds, quantile) ?? pooled).value,
    low: Math.min(pooled.low, ...single),
    high: Math.max(pooled.high, ...single),
  };
  // Too few queries for a bound on this quantile: that it lies below the largest one seen is not known. One process says nothing of
  // the next, and disturbed ones nothing of the device.
  const sure = pooled.coverage >= CONFIDENCE && rounds.length > 1 && soundnessOf(cell).decides;
  const answer = atMost(estimate, milliseconds);
  return { answer: answer !== 'cannot tell' && !sure ? 'cannot tell' : answer, estimate };
}

const MEDIAN = 0.5;

/** What `quantileEstimate` keeps to where there are queries enough. */
const CONFIDENCE = 0.95 - 1e-9;

/** The peak as reports have it, in the range of what a round took. */
function memoryTest(memory: MemoryFigures | undefined, limit: number): Test {
  if (memory === undefined) return { answer: 'cannot tell', estimate: undefined };
  const estimate = memory.range;
  return { answer: atMost(estimate, limit), estimate };
}

function accuracyTest(top1: Estimate | undefined, least: number): Test {
  if (top1 === undefined) return { answer: 'cannot tell', estimate: undefined };
  const answer = top1.low >= least ? 'meets' : top1.high < least ? 'fails' : 'cannot tell';
  return { answer, estimate: top1 };
}

function atMost({ low, high }: Estimate, limit: number): Answer {
  return high <= limit ? 'meets' : low > limit ? 'fails' : 'cannot tell';
}

function together(tests: readonly (Test | undefined)[]): Answer {
  const answers = tests.flatMap((test) => (test ? [test.answer] : []));
  if (answers.includes('fails')) return 'fails';
  return answers.every((answer) => answer === 'meets') ? 'meets' : 'cannot tell';
}

/** Mean power of each round while queries were timed, over the rounds; else what the profile states. */
function wattsOf(
  cell: StoredCell | undefined,
  stated: number | undefined,
): (Estimate & { readonly source: 'measured' | 'profile' }) | undefined {
  const rounds = (cell?.rounds ?? []).flatMap(({ conditions }) => {
    const seen = conditions
      .filter(({ phase }) => phase === 'steady')
      .flatMap(({ conditions: { watts } }) => (watts === undefined ? [] : [watts]));
    return seen.length > 0 ? [mean(seen)] : [];
  });
  if (rounds.length > 0)
    return { value: mean(rounds), low: Math.min(...rounds), high: Math.max(...rounds), source: 'measured' };
  return stated === undefined ? undefined : { value: stated, low: stated, high: stated, source: 'profile' };
}

/** Watts times seconds, for one image. */
function energyOf(watts: Estimate, throughput: Estimate): Estimate {
  return {
    value: watts.value / throughput.value,
    low: watts.low / throughput.high,
    high: watts.high / throughput.low,
  };
}

/** `share / estimate`, whose interval is turned around. */
function inverse({ value, low, high }: Estimate, share: number): Estimate {
  return { value: share / value, low: share / high, high: share / low };
}
