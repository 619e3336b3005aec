import type { AgentEvent } from './events.js';
import { ProtocolError } from './protocol-error.js';
import { LEAST_OFFERED_QUERIES, MOST_OFFERED_QUERIES, type OfflineTask, type ServerTask } from './task.js';

/** No search tries more rates. */
const MOST_TRIALS = 100;

/** No query ends later than a day after its trial began, in milliseconds. */
const LATEST_MS = 24 * 3_600_000;

/** A scheduled arrival is the task's own number divided by the rate: off by no more than rounding. */
const ROUNDING = 1e-9;

/** Holds what an agent says of queries that it was offered against the schedule that it was given. */
export class ServedCheck {
  private scheduled: number[] = [];
  private lastEnd = 0;
  private trials = 0;
  /** Of each trial of a search. */
  private planned: number | undefined;

  /** @param task - what was asked */
  constructor(private readonly task: ServerTask | OfflineTask) {}

  /**
   * Takes the next queries of a trial.
   *
   * @throws ProtocolError when they cannot be
   */
  served({ scheduled, started, ended }: Extract<AgentEvent, { event: 'served' }>): void {
    if (started.length !== scheduled.length || ended.length !== scheduled.length)
      refuse(`${scheduled.length} arrivals, ${started.length} starts and ${ended.length} ends of queries`);
    if (this.scheduled.length + scheduled.length > this.most)
      refuse(`${this.scheduled.length + scheduled.length} queries in a trial of ${this.most}`);
    for (const [query, arrival] of scheduled.entries()) {
      const [start, end] = [started[query] ?? NaN, ended[query] ?? NaN];
      if (start < arrival) refuse(`a query that began ${arrival - start} ms before it arrived`);
      if (start < this.lastEnd) refuse('a query that began before the one before it had ended');
      if (end <= start) refuse(`a query that took ${end - start} ms`);
      if (end > LATEST_MS) refuse(`a query that ended after ${end} ms`);
      this.lastEnd = end;
      this.scheduled.push(arrival);
    }
  }

  /**
   * Takes that a trial is over.
   *
   * @throws ProtocolError when it cannot be
   */
  trial({ rate, planned }: Extract<AgentEvent, { event: 'trial' }>): void {
    const { task, scheduled } = this;
    this.trials += 1;
    if (this.trials > (task.kind === 'server' ? MOST_TRIALS : 1)) refuse(`trial ${this.trials} of a task`);
    if (scheduled.length === 0) refuse('a trial without a query');
    if (scheduled.length > planned || planned > this.most)
      refuse(`${scheduled.length} queries in a trial of ${planned}`);
    if (task.kind === 'offline') {
      if (rate !== null) refuse(`a rate of ${rate} where all queries are there from the beginning`);
      if (scheduled.some((arrival) => arrival !== 0)) refuse('a query that was not there from the beginning');
    } else {
      if (rate === null) refuse('a trial without a rate');
      else this.checkSchedule(rate, task.arrivals);
      if (planned < LEAST_OFFERED_QUERIES || planned !== (this.planned ?? planned))
        refuse(`a trial of ${planned} queries where others have ${this.planned ?? LEAST_OFFERED_QUERIES}`);
      this.planned = planned;
    }
    this.scheduled = [];
    this.lastEnd = 0;
  }

  /**
   * Takes that nothing follows.
   *
   * @throws ProtocolError when something is missing
   */
  end(): void {
    if (this.trials === 0) refuse('it tried no load');
    if (this.scheduled.length > 0) refuse(`${this.scheduled.length} queries of a trial that never ended`);
  }

  private get most(): number {
    return this.task.kind === 'server' ? this.task.arrivals.length : MOST_OFFERED_QUERIES;
  }

  private checkSchedule(rate: number, arrivals: readonly number[]): void {
    for (const [query, arrival] of this.scheduled.entries()) {
      const due = ((arrivals[query] ?? NaN) / rate) * 1000;
      if (!(Math.abs(arrival - due) <= ROUNDING * due))
        refuse(`query ${query} arrived after ${arrival} ms where the schedule has ${due} ms`);
    }
  }
}

function refuse(what: string): never {
  throw new ProtocolError(what);
}
