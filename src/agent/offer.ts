import type { AgentEvent } from '../protocol/events.js';
import { MOST_SERVED } from '../protocol/events.js';
import type { Tensor } from '../runtime/engine.js';
import type { ServedQueries } from '../stats/load.js';
import type { Query, QueryWatch } from './queries.js';

/**
 * A timer ends its sleep a millisecond or more late, in a page more than four: the last of the time before an arrival is spent looking
 * at the clock, which takes a core but is late by a microsecond.
 */
const SPIN_MS = 6;

/** In a gap of this length there is time to tell how far the trial is. */
const GAP_MS = 2;

/** That is told about so often where there are such gaps, and else so seldom, between two queries. */
const TELL_EVERY_MS = 500;
const TELL_ANYWAY_MS = 10_000;

/** What watches over queries that are offered. */
export interface OfferWatch extends Pick<QueryWatch, 'now'> {
  /** Does nothing for about so many milliseconds, and often for some more. */
  sleep(milliseconds: number): Promise<void>;
  /** Tells how far the trial is, and what the device is like. */
  tell(): void;
}

/** Queries that were offered in one go. */
export interface Offered {
  readonly queries: ServedQueries;
  /** The last query's outputs. */
  readonly outputs: readonly Tensor[];
}

/**
 * Offers queries to a session that serves one at a time, in the order they arrive. When they arrive is fixed beforehand and waits for
 * nothing: what arrives while another is served is started as soon as that ends, and has waited since its arrival. Where nothing is to
 * be served the time is slept and then spun away until the next arrival; how late the start is all the same can be told from what is
 * recorded, see `startDelays`.
 *
 * @param query - one query
 * @param scheduled - when each arrives, in milliseconds from now, ascending
 * @param isOver - whether the rest need not be served, by what was served so far; asked after every query
 * @param watch - clock and ears
 */
export async function offeredQueries(
  query: Query,
  scheduled: readonly number[],
  isOver: (latest: { readonly arrival: number; readonly start: number; readonly end: number }) => boolean,
  watch: OfferWatch,
): Promise<Offered> {
  const started: number[] = [];
  const ended: number[] = [];
  let outputs: readonly Tensor[] = [];
  const begin = watch.now();
  let told = begin;
  for (const arrival of scheduled) {
    const due = begin + arrival;
    const silent = watch.now() - told;
    if ((silent >= TELL_EVERY_MS && due - watch.now() >= GAP_MS) || silent >= TELL_ANYWAY_MS) {
      watch.tell();
      told = watch.now();
    }
    await until(due, watch);
    const before = watch.now();
    const results = await query.run();
    const after = watch.now();
    // A clock too coarse for the query would have it end when it began, or begin before it arrived.
    const start = Math.max(arrival, before - begin);
    started.push(start);
    ended.push(after - begin);
    if (ended.length === scheduled.length || isOver({ arrival, start, end: after - begin })) {
      outputs = query.outputsOf(results);
      break;
    }
  }
  return { queries: { scheduled: scheduled.slice(0, ended.length), started, ended }, outputs };
}

async function until(moment: number, watch: OfferWatch): Promise<void> {
  const asleep = moment - watch.now() - SPIN_MS;
  if (asleep > 0) await watch.sleep(asleep);
  while (watch.now() < moment);
}

/**
 * Tells of the queries of a trial, and that it is over.
 *
 * @param queries - that were served, at least one
 * @param trial - of which trial
 * @param emit - receives the events
 */
export function emitTrial(
  { scheduled, started, ended }: ServedQueries,
  trial: { readonly rate: number | null; readonly planned: number },
  emit: (event: AgentEvent) => void,
): void {
  for (let at = 0; at < ended.length; at += MOST_SERVED) {
    const part = (list: readonly number[]): number[] => list.slice(at, at + MOST_SERVED);
    emit({ event: 'served', scheduled: part(scheduled), started: part(started), ended: part(ended) });
  }
  emit({ event: 'trial', ...trial });
}
