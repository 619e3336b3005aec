import { mean } from 'simple-statistics';
import type { Random } from '../base/random.js';
import { medianUnbiased } from './tail.js';

/** So many times the relaxation time of the queue is a trial long, */
const QUERIES_PER_RELAXATION = 50;

/** and no shorter than for a bound of so many service times: a p99 needs some hundreds of queries, whatever the queue does. */
const LEAST_BOUND = 3;

/** Nor longer than for one of so many: what is left idle beyond that is a tenth at most, and the rate can be off by a part of it alone. */
const MOST_BOUND = 20;

/** No search needs more queries in a trial. */
export const MOST_NEEDED_QUERIES = QUERIES_PER_RELAXATION * MOST_BOUND ** 2;

/** The quantile of response times that a bound is for. */
const BOUND_QUANTILE = 0.99;

/**
 * Queries that one server took one after the other, in the order they arrived: three lists of one length, in milliseconds since the
 * first could arrive.
 */
export interface ServedQueries {
  /** When each was to arrive: fixed before anything was served. */
  readonly scheduled: readonly number[];
  readonly started: readonly number[];
  readonly ended: readonly number[];
}

/** Queries that were offered at one rate. */
export interface OfferedLoad extends ServedQueries {
  /** Queries a second. */
  readonly rate: number;
  /** How many were to arrive; fewer were served where the outcome was certain before, or the time was over. */
  readonly planned: number;
}

/**
 * What became of a rate.
 *
 * - `held`: all queries were served, and the p99 of their response times is within the bound.
 * - `late`: it is not, or so many were late that it cannot be, whatever the rest would have taken.
 * - `too-slow`: so many took longer than the bound from start to end that no rate can hold: nothing had to wait for that.
 * - `overloaded`: within the bound, but only because the queries ended: they arrived faster than they were served, and the queue would
 *   have grown for ever.
 * - `unfinished`: the time was over before that could be said.
 */
export type LoadOutcome = 'held' | 'late' | 'too-slow' | 'overloaded' | 'unfinished';

/**
 * Arrivals of a Poisson process with one arrival in a unit of time: sums of independent exponential times with mean 1. Divided by a
 * rate they are arrivals at that rate, so that the same arrivals lie closer together at a higher rate: of one and the same server a
 * query's response time then never falls as the rate rises (Lindley's recursion), and the highest rate that holds is well defined.
 *
 * @param count - how many
 * @param random - where the randomness comes from; it is advanced
 * @returns ascending, above 0
 */
export function poissonArrivals(count: number, random: Random): number[] {
  let now = 0;
  // 1 − u is in (0, 1], of which there is a logarithm.
  return Array.from({ length: count }, () => (now -= Math.log(1 - random.uniform())));
}

/**
 * How many queries a trial needs, so that the p99 of its response times is that of a queue that has been there for long. With a bound of b
 * service times the highest rate leaves a share of about 1 / b of the server idle, and a queue then forgets where it began after about b²
 * services (its relaxation time, Cohen, "The Single Server Queue", 1982). Of simulated M/D/1 queues with b from 2 to 20 a search with 50 b²
 * queries finds a rate that is off by less than 1.5 % on average; one with 200 queries finds one that is 7 % too high at b = 10.
 *
 * @param bound - of the response time
 * @param service - what a query takes, in the same unit
 */
export function enoughQueries(bound: number, service: number): number {
  const times = Math.min(Math.max(bound / service, LEAST_BOUND), MOST_BOUND);
  return Math.ceil(QUERIES_PER_RELAXATION * times ** 2);
}

/**
 * Response times in milliseconds: from the scheduled arrival to the end, so that a query that waits for a slow one before it is as late
 * as its user sees it. From the start it would not be ("coordinated omission"). LoadGen counts its server scenario so (Reddi et al.,
 * "MLPerf Inference Benchmark", ISCA 2020).
 */
export function responseTimes({ scheduled, ended }: ServedQueries): number[] {
  return pairwise(ended, scheduled);
}

/** Service times in milliseconds: from the start to the end, without any waiting. */
export function serviceTimes({ started, ended }: ServedQueries): number[] {
  return pairwise(ended, started);
}

/** How long each query waited, in milliseconds, for those before it and for whoever starts it. */
export function waitingTimes({ scheduled, started }: ServedQueries): number[] {
  return pairwise(started, scheduled);
}

/**
 * How late each query was started though nothing was before it, in milliseconds: time of whoever generates the load, whose sleep ended
 * late, which is part of the response time and none of the server's.
 */
export function startDelays({ scheduled, started, ended }: ServedQueries): number[] {
  return started.map(
    (start, query) => start - Math.max(scheduled[query]!, query > 0 ? ended[query - 1]! : 0),
  );
}

/**
 * Which share of the time the server was busy in the long run: the rate times the mean service time. With 1 or more the queue grows
 * without bound.
 */
export function utilisation(load: OfferedLoad): number {
  return (load.rate / 1000) * mean(serviceTimes(load));
}

/**
 * The p99 of response times in milliseconds, median-unbiased, as all tails are: see `medianUnbiased`.
 *
 * @returns undefined where queries are missing: those that would have waited longest are
 */
export function responseTail(load: OfferedLoad): number | undefined {
  if (load.ended.length < load.planned) return undefined;
  return medianUnbiased(responseTimes(load), BOUND_QUANTILE);
}

/**
 * What became of a rate.
 *
 * @param load - the queries that were offered at it, and served
 * @param bound - of the p99 of the response time, in milliseconds
 */
export function loadOutcome(load: OfferedLoad, bound: number): LoadOutcome {
  const { planned } = load;
  if (isLost(serviceTimes(load), planned, bound)) return 'too-slow';
  if (isLost(responseTimes(load), planned, bound)) return 'late';
  const tail = responseTail(load);
  if (tail === undefined) return 'unfinished';
  if (tail > bound) return 'late';
  return utilisation(load) < 1 ? 'held' : 'overloaded';
}

/**
 * How many of so many queries may take longer than the bound: with one more, the p99 is certain to be above it, since both samples that
 * it lies between are.
 *
 * @param planned - how many queries there are to be
 */
export function mostLate(planned: number): number {
  // The rank of the smaller of the two samples: see `medianUnbiased`.
  const rank = Math.min(planned, Math.floor((planned + 1 / 3) * BOUND_QUANTILE + 1 / 3));
  return planned - rank;
}

/** Whether so many of the times are above the bound that the p99 of all will be, whatever the others are. */
function isLost(times: readonly number[], planned: number, bound: number): boolean {
  return times.filter((time) => time > bound).length > mostLate(planned);
}

function pairwise(later: readonly number[], earlier: readonly number[]): number[] {
  return later.map((end, query) => end - earlier[query]!);
}
