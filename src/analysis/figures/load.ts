import { max, mean, sum } from 'simple-statistics';
import type { TrialRecord } from '../../protocol/measurement.js';
import { geometricMean } from '../../stats/geometric.js';
import type { Estimate } from '../../stats/interval.js';
import {
  loadOutcome,
  responseTail,
  startDelays,
  utilisation,
  type LoadOutcome,
  type OfferedLoad,
} from '../../stats/load.js';
import { rateBracket, type RateBracket } from '../../stats/rate-search.js';
import { pairedRatio, type RatioEstimate } from '../../stats/ratio.js';
import { medianUnbiased } from '../../stats/tail.js';
import type { StoredCell } from '../../store/read.js';
import type { StoredRound } from '../../store/rounds.js';
import { alikeRounds, soundnessOf, soundRounds, type Soundness } from './soundness.js';
import { flagsOf, type Flag } from './validity.js';

/** A rate that was tried in a round. */
export interface TriedLoad {
  /** Queries a second. */
  readonly rate: number;
  readonly planned: number;
  /** How many of them were served before it was certain that the rate does not hold, or all. */
  readonly served: number;
  readonly outcome: LoadOutcome;
  /** Of the response time, in milliseconds; undefined where queries are missing. */
  readonly p99: number | undefined;
  readonly utilisation: number;
}

/** The search for the highest rate in one round. */
export interface RateSearch extends RateBracket {
  readonly round: number;
  /** In the order they were tried. */
  readonly tried: readonly TriedLoad[];
}

/** What is common to what a cell of load says. */
interface LoadFigures {
  /** Images of a query. */
  readonly batch: number;
  readonly tier: string;
  /** That count. */
  readonly rounds: number;
  /** How many times as much as the baseline's, over the rounds in which both were measured alike; undefined as a speed is. */
  readonly gain: RatioEstimate | undefined;
  readonly soundness: Soundness;
  readonly flags: readonly Flag[];
}

/** Which rate of queries that arrive at random a variant bears. */
export interface ServerFigures extends LoadFigures {
  readonly kind: 'server';
  /** Of the p99 of the response time, in milliseconds. */
  readonly bound: number;
  /** The highest rate that holds, in queries a second: see `highestRate`. */
  readonly rate: Estimate | undefined;
  /** Rounds in which no rate held, and whether in one of them the model alone took longer than the bound. */
  readonly missed: number;
  readonly hopeless: boolean;
  /** At the highest rate that held, means over the rounds: the p99 in milliseconds, and the share of the time the model was busy. */
  readonly p99: number | undefined;
  readonly utilisation: number | undefined;
  /** The p99 of how late queries were started though nothing was before them, in milliseconds: the worst round's. */
  readonly startDelay: number;
  readonly searches: readonly RateSearch[];
}

/** How many images a second a variant answers that are all there at once. */
export interface OfflineFigures extends LoadFigures {
  readonly kind: 'offline';
  readonly queries: number;
  /** Images a second: see `offlineThroughput`. */
  readonly throughput: Estimate | undefined;
}

/**
 * What a cell of load says.
 *
 * @param cell - a done cell of kind `server` or `offline`
 * @param baseline - the baseline's cell of the same scenario; undefined where there is none, and for the baseline's own
 * @returns undefined when nothing was offered, or for a cell of another kind
 */
export function loadOf(
  cell: StoredCell,
  baseline: StoredCell | undefined,
): ServerFigures | OfflineFigures | undefined {
  const { kind, batch, tier } = cell.row;
  const soundness = soundnessOf(cell);
  const { rounds } = soundness;
  if (rounds.length === 0 || (kind !== 'server' && kind !== 'offline')) return undefined;
  const common = {
    ...{ batch, tier: tier ?? '', rounds: rounds.length, soundness, flags: flagsOf(cell) },
    gain: baseline && gainOf(baseline, cell),
  };
  if (kind === 'offline') {
    const queries = sum(rounds.flatMap(({ trials }) => trials.map(({ ended }) => ended.length)));
    return { kind, ...common, queries, throughput: offlineThroughput(cell) };
  }
  const bound = boundOf(cell);
  const searches = rounds.map((round) => searchOf(round, bound));
  const held = searches.flatMap(({ tried, held: rate }) => tried.filter((each) => each.rate === rate));
  const missed = searches.filter((search) => search.held === undefined);
  return {
    ...{ kind, ...common, bound, searches, missed: missed.length },
    rate: highestRate(cell),
    hopeless: missed.some(({ hopeless }) => hopeless),
    p99: meanOf(held.flatMap(({ p99 }) => p99 ?? [])),
    utilisation: meanOf(held.map((each) => each.utilisation)),
    startDelay: startDelayOf(rounds),
  };
}

/**
 * The highest rate that holds, in queries a second: of each round the highest that was found, their geometric mean with Student's 95 %
 * interval. Every round is a search of its own, in a fresh process and with arrivals of its own.
 *
 * @param cell - a done cell of kind `server`
 * @returns undefined where a round that counts found none
 */
export function highestRate(cell: StoredCell): Estimate | undefined {
  return overRounds(cell, ({ trials }) => searchRateOf(trials, boundOf(cell)));
}

/**
 * Images a second of queries that are all there at once: the images of those that were served over the time until the last of them
 * ended; of each round, their geometric mean with Student's 95 % interval.
 *
 * @param cell - a done cell of kind `offline`
 */
export function offlineThroughput(cell: StoredCell): Estimate | undefined {
  return overRounds(cell, (round) => throughputOf(round, cell.row.batch));
}

/**
 * What is compared of a round of a cell of load: its highest rate, or its throughput.
 *
 * @param cell - of kind `server` or `offline`
 * @returns for a round of the cell its figure; NaN where it has none
 */
export function loadFigure(cell: StoredCell): (round: StoredRound) => number {
  const { kind, batch } = cell.row;
  return (round) =>
    (kind === 'server' ? searchRateOf(round.trials, boundOf(cell)) : throughputOf(round, batch)) ?? NaN;
}

/**
 * The search of one round.
 *
 * @param round - of a cell of kind `server`
 * @param bound - of the p99, in milliseconds
 */
export function searchOf({ row, trials }: StoredRound, bound: number): RateSearch {
  const tried = offeredLoads(trials).map((load): TriedLoad => ({
    ...{ rate: load.rate, planned: load.planned, served: load.ended.length },
    outcome: loadOutcome(load, bound),
    p99: responseTail(load),
    utilisation: utilisation(load),
  }));
  return { round: row.round, tried, ...rateBracket(tried) };
}

/** The bound of a cell of kind `server`, in milliseconds. */
export function boundOf({ row }: StoredCell): number {
  // Every cell of a server has one.
  return row.bound_ms ?? NaN;
}

/** The p99 of how late queries were started though nothing was before them, in milliseconds: the worst round's. */
export function startDelayOf(rounds: readonly StoredRound[]): number {
  const delays = rounds
    .map(({ trials }) => trials.flatMap(startDelays))
    .filter((each) => each.length > 0)
    .map((each) => medianUnbiased(each, 0.99));
  return delays.length > 0 ? max(delays) : NaN;
}

function offeredLoads(trials: readonly TrialRecord[]): OfferedLoad[] {
  return trials.flatMap(({ rate, ...trial }) => (rate === null ? [] : [{ ...trial, rate }]));
}

function searchRateOf(trials: readonly TrialRecord[], bound: number): number | undefined {
  const tried = offeredLoads(trials).map((load) => ({ rate: load.rate, outcome: loadOutcome(load, bound) }));
  return rateBracket(tried).held;
}

function throughputOf({ trials }: StoredRound, batch: number): number | undefined {
  const [trial] = trials;
  const last = trial?.ended.at(-1);
  return trial === undefined || last === undefined ? undefined : (1000 * batch * trial.ended.length) / last;
}

/** The figures of all rounds that count together; undefined where one of them has none. */
function overRounds(cell: StoredCell, of: (round: StoredRound) => number | undefined): Estimate | undefined {
  const figures = [...soundRounds(cell, of).values()].filter((each) => each !== undefined);
  return figures.length > 0 && figures.length === soundnessOf(cell).rounds.length
    ? geometricMean(figures)
    : undefined;
}

function gainOf(baseline: StoredCell, cell: StoredCell): RatioEstimate | undefined {
  if (!soundnessOf(baseline).decides || !soundnessOf(cell).decides) return undefined;
  const figure = loadFigure(cell);
  const { reference, cell: own } = alikeRounds(baseline, cell, (round) => [figure(round)]);
  const all = [...reference.values(), ...own.values()].flat();
  return all.every(Number.isFinite) ? pairedRatio(own, reference) : undefined;
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length > 0 ? mean([...values]) : undefined;
}
