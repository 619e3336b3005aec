import type { AgentEvent } from '../protocol/events.js';
import {
  LEAST_OFFERED_QUERIES,
  MOST_OFFERED_QUERIES,
  type OfflineTask,
  type ServerTask,
} from '../protocol/task.js';
import type { Tensor } from '../runtime/engine.js';
import { enoughQueries, loadOutcome, mostLate, type OfferedLoad } from '../stats/load.js';
import { nextRate, type TriedRate } from '../stats/rate-search.js';
import { emitTrial, offeredQueries, type OfferWatch } from './offer.js';
import type { Query } from './queries.js';

/** The first rate that is tried keeps the model busy for this share of the time. */
const FIRST_UTILISATION = 0.5;

/** So many trials at such a utilisation are to fit into the time; where they do not, each has fewer queries. */
const EXPECTED_TRIALS = 8;
const EXPECTED_UTILISATION = 0.7;

/** What a load is measured with. */
export interface LoadBench {
  readonly query: Query;
  /** What a query took at the end of the warm-up, in milliseconds. */
  readonly typical: number;
  /** A clock, in milliseconds. */
  now(): number;
  /** Does nothing for about so many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** Receives trials and progress. */
  emit(event: AgentEvent): void;
  /** Tells what the device is like. */
  look(): void;
}

/**
 * Looks for the highest rate at which the p99 of the response time holds: each rate is a trial of the same number of queries, which
 * arrive by the same schedule, closer together at a higher rate. A trial ends early when it is certain that its rate does not hold; one
 * for which the time may not suffice is not begun.
 *
 * @param bench - a model that is warm
 * @param task - the schedule, the bound, the longest time
 * @returns the last query's outputs
 */
export async function searchRate(bench: LoadBench, task: ServerTask): Promise<readonly Tensor[]> {
  const { p99: bound, maxSeconds } = task;
  const arrivals = task.arrivals.slice(0, queriesOf(bench, task));
  const planned = arrivals.length;
  const watch = watchOf(bench, maxSeconds);
  const latest = bench.now() + maxSeconds * 1000;
  const tried: TriedRate[] = [];
  const first = (FIRST_UTILISATION * 1000) / bench.typical;
  let outputs: readonly Tensor[] = [];
  for (let rate: number | undefined = first; rate !== undefined; rate = nextRate(tried, first)) {
    const current = rate;
    const scheduled = arrivals.map((arrival) => (arrival / current) * 1000);
    // One that would be cut short would be begun for nothing; unless it is the first, which at least says how the model does.
    if (tried.length > 0 && bench.now() + (scheduled.at(-1) ?? 0) > latest && !mayEndEarly(bench, bound))
      break;
    let late = 0;
    const offered = await offeredQueries(
      bench.query,
      scheduled,
      ({ arrival, end }) => {
        if (end - arrival > bound) late += 1;
        return late > mostLate(planned) || bench.now() >= latest;
      },
      watch,
    );
    outputs = offered.outputs;
    emitTrial(offered.queries, { rate: current, planned }, (event) => {
      bench.emit(event);
    });
    watch.tell();
    const load: OfferedLoad = { ...offered.queries, rate: current, planned };
    tried.push({ rate: current, outcome: loadOutcome(load, bound) });
  }
  return outputs;
}

/** How many queries a trial has: enough, but so many that a search fits into its time; no fewer than a p99 needs. */
function queriesOf({ typical }: LoadBench, { arrivals, queries, p99, maxSeconds }: ServerTask): number {
  const fitting = (EXPECTED_UTILISATION * maxSeconds * 1000) / (EXPECTED_TRIALS * typical);
  const enough = Math.max(queries, enoughQueries(p99, typical));
  return Math.min(arrivals.length, enough, Math.max(LEAST_OFFERED_QUERIES, Math.floor(fitting)));
}

/** Whether single queries already take longer than the bound, so that a trial at any rate is over soon. */
function mayEndEarly({ typical }: LoadBench, bound: number): boolean {
  return typical > bound;
}

/**
 * Serves queries that are all there at once, one after the other.
 *
 * @param bench - a model that is warm
 * @param task - how many and for how long
 * @returns the last query's outputs
 */
export async function serveOffline(bench: LoadBench, task: OfflineTask): Promise<readonly Tensor[]> {
  const { minQueries, minSeconds, maxSeconds } = task;
  const wanted = Math.max(minQueries, Math.ceil((minSeconds * 1000) / bench.typical));
  const planned = Math.min(wanted, MOST_OFFERED_QUERIES);
  const scheduled = new Array<number>(planned).fill(0);
  const latest = bench.now() + maxSeconds * 1000;
  const watch = watchOf(bench, maxSeconds);
  const { queries, outputs } = await offeredQueries(
    bench.query,
    scheduled,
    () => bench.now() >= latest,
    watch,
  );
  emitTrial(queries, { rate: null, planned }, (event) => {
    bench.emit(event);
  });
  watch.tell();
  return outputs;
}

function watchOf(bench: LoadBench, maxSeconds: number): OfferWatch {
  const begin = bench.now();
  return {
    now: () => bench.now(),
    sleep: (milliseconds) => bench.sleep(milliseconds),
    tell: () => {
      const seconds = (bench.now() - begin) / 1000;
      bench.emit({ event: 'progress', done: Math.min(1, seconds / maxSeconds) });
      bench.look();
    },
  };
}
