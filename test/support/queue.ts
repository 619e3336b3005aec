import type { LoadBench } from '../../src/agent/load.js';
import type { Query } from '../../src/agent/queries.js';
import type { AgentEvent } from '../../src/protocol/events.js';
import { MeasurementCollector, type TrialRecord } from '../../src/protocol/measurement.js';

/**
 * A clock that moves by this at each look, in milliseconds, so that whoever spins until a moment gets there. Service times in tests are
 * so much longer that it does not matter.
 */
const TICK = 0.01;

/** A server that there is not: it takes what it is told to take, on a clock of its own, and no real time. */
export interface VirtualServer extends LoadBench {
  readonly events: readonly AgentEvent[];
  /** What was offered so far. */
  trials(): readonly TrialRecord[];
}

/**
 * A server with service times of one's choice.
 *
 * @param serviceTime - of its n-th query, in milliseconds
 * @param typical - what the warm-up says that a query takes
 * @param oversleep - by how much a sleep ends late; left out, so much that hardly anything is left to be spun away
 */
export function virtualServer(
  serviceTime: (query: number) => number,
  typical = serviceTime(0),
  oversleep = 5.95,
): VirtualServer {
  let time = 0;
  let queries = 0;
  const events: AgentEvent[] = [];
  const collector = new MeasurementCollector();
  const query: Query = {
    run: () => {
      time += serviceTime(queries);
      queries += 1;
      return Promise.resolve({});
    },
    outputsOf: () => [],
  };
  return {
    ...{ query, typical, events },
    now: () => (time += TICK),
    sleep: (milliseconds) => {
      time += milliseconds + oversleep;
      return Promise.resolve();
    },
    look: () => undefined,
    emit: (event) => {
      events.push(event);
      collector.add(event);
    },
    trials: () => collector.measurement.trials,
  };
}

/**
 * Mean waiting time of an M/D/1 queue, in units of its service time (Pollaczek 1930, Khinchine 1932).
 *
 * @param load - the utilisation, below 1
 */
export function meanWait(load: number): number {
  return load / (2 * (1 - load));
}

/**
 * Probability that a query of an M/D/1 queue waits no longer than a time (Erlang 1909).
 *
 * @param time - in units of the service time
 * @param load - the utilisation, below 1
 */
export function waitProbability(time: number, load: number): number {
  let sum = 0;
  for (let k = 0, factorial = 1; k <= Math.floor(time); k++, factorial *= k) {
    const x = load * (k - time);
    sum += (x ** k / factorial) * Math.exp(-x);
  }
  return (1 - load) * sum;
}

/**
 * The highest utilisation at which 99 % of the queries of an M/D/1 queue are answered within a bound.
 *
 * @param bound - of the response time, in units of the service time, above 1
 */
export function highestLoad(bound: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (waitProbability(bound - 1, middle) >= 0.99) low = middle;
    else high = middle;
  }
  return low;
}
