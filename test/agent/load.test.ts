import { mean } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import { searchRate, serveOffline } from '../../src/agent/load.js';
import { offeredQueries } from '../../src/agent/offer.js';
import { seededRandom } from '../../src/base/random.js';
import type { OfflineTask, ServerTask } from '../../src/protocol/task.js';
import {
  loadOutcome,
  mostLate,
  poissonArrivals,
  responseTimes,
  serviceTimes,
  startDelays,
  waitingTimes,
} from '../../src/stats/load.js';
import { rateBracket } from '../../src/stats/rate-search.js';
import type { TrialRecord } from '../../src/protocol/measurement.js';
import {
  highestLoad,
  meanWait,
  virtualServer,
  waitProbability,
  type VirtualServer,
} from '../support/queue.js';
import { taskBase } from '../support/tasks.js';

const files = { model: 'm.onnx', inputs: 'i.bin', batch: 1, microBatch: 1 };
const HOURS = 1e5;

function serverTask(p99: number, queries: number, maxSeconds = HOURS, seed = 1): ServerTask {
  const arrivals = poissonArrivals(queries, seededRandom(seed));
  return { kind: 'server', ...taskBase, ...files, arrivals, queries, p99, maxSeconds, maxWarmupSeconds: 1 };
}

/** Offers queries by a schedule to a server, all of them. */
async function offered(server: VirtualServer, scheduled: readonly number[]) {
  const watch = { now: () => server.now(), sleep: server.sleep.bind(server), tell: () => undefined };
  return (await offeredQueries(server.query, scheduled, () => false, watch)).queries;
}

/** What a server's search found. */
function foundBy(server: VirtualServer, bound: number) {
  const tried = server
    .trials()
    .map((trial) => ({ ...trial, rate: trial.rate!, outcome: outcomeOf(trial, bound) }));
  return { tried, ...rateBracket(tried) };
}

function outcomeOf(trial: TrialRecord, bound: number) {
  return loadOutcome({ ...trial, rate: trial.rate! }, bound);
}

/** Arrivals at a rate a second, in milliseconds. */
function arrivalsAt(rate: number, count: number, seed = 1): number[] {
  return poissonArrivals(count, seededRandom(seed)).map((arrival) => (arrival / rate) * 1000);
}

describe('queries that arrive at random', () => {
  it.each([0.3, 0.6, 0.8])(
    'wait as long as those of an M/D/1 queue do where each takes the same time: utilisation %s',
    async (load) => {
      const service = 200;
      const queries = await offered(
        virtualServer(() => service),
        arrivalsAt((1000 * load) / service, 200_000),
      );
      const waits = waitingTimes(queries).map((wait) => wait / service);
      expect(mean(waits) / meanWait(load)).toBeCloseTo(1, 1.3);
      for (const time of [0.5, 1, 2.5])
        expect(waits.filter((wait) => wait <= time + 1e-3).length / waits.length).toBeCloseTo(
          waitProbability(time, load),
          1.7,
        );
    },
  );

  it('have waited since they were to arrive, when one before them stalls: there is no coordinated omission', async () => {
    const [service, stall, rate] = [1, 500, 100];
    const server = virtualServer((query) => (query === 1000 ? stall : service));
    const queries = await offered(server, arrivalsAt(rate, 3000));
    const from = queries.started[1000]!;
    const behind = queries.scheduled
      .map((arrival, query) => ({ arrival, query }))
      .filter(({ arrival, query }) => query > 1000 && arrival < from + stall);
    // About 50 arrive in half a second at a hundred a second, and every one of them waits until the stall is over.
    expect(behind.length).toBeGreaterThan(25);
    const times = responseTimes(queries);
    for (const { arrival, query } of behind)
      expect(times[query]).toBeGreaterThanOrEqual(from + stall - arrival + service);
    // Counted from the start, only one query of all would have been slow.
    expect(serviceTimes(queries).filter((time) => time > 2 * service)).toHaveLength(1);
  });

  it('are never answered sooner where the same come closer together', async () => {
    const service = (query: number): number => 0.5 + ((query * 7919) % 13) / 6;
    let before: number[] = [];
    for (const rate of [100, 300, 450, 600, 900]) {
      const times = responseTimes(await offered(virtualServer(service), arrivalsAt(rate, 2000)));
      for (const [query, time] of before.entries()) expect(times[query]).toBeGreaterThanOrEqual(time - 0.05);
      before = times;
    }
  });

  it('are late by what a sleep oversleeps, which can be told from the model', async () => {
    const oversleep = 9;
    const queries = await offered(
      virtualServer(() => 1, 1, oversleep),
      [100, 200, 300, 300.5],
    );
    const delays = startDelays(queries);
    for (const delay of delays.slice(0, 3)) {
      expect(delay).toBeGreaterThan(1);
      expect(delay).toBeLessThan(oversleep);
    }
    // What waits for the one before it is not started late.
    expect(delays[3]).toBeLessThan(0.1);
    expect(waitingTimes(queries)[3]).toBeGreaterThan(1);
    const [first] = responseTimes(queries);
    expect(first).toBeCloseTo(delays[0]! + 1, 1);
    // Without it the start is as punctual as the clock.
    for (const delay of startDelays(
      await offered(
        virtualServer(() => 1),
        [100, 200, 300],
      ),
    ))
      expect(delay).toBeLessThan(0.03);
  });
});

describe('the search for the highest rate', () => {
  it.each([3, 6, 12])(
    'finds that of an M/D/1 queue, by its formula: bound of %s service times',
    async (bound) => {
      const service = 400;
      const task = serverTask(bound * service, 100_000, 1e9);
      const server = virtualServer(() => service);
      await searchRate(server, task);
      const { held, narrowed } = foundBy(server, task.p99);
      expect(narrowed).toBe(true);
      expect(held! / ((1000 * highestLoad(bound)) / service)).toBeGreaterThan(0.95);
      expect(held! / ((1000 * highestLoad(bound)) / service)).toBeLessThan(1.03);
    },
  );

  it('uses the same arrivals at every rate, and ends a trial as soon as it is lost', async () => {
    const task = serverTask(2000, 500);
    const server = virtualServer(() => 400);
    await searchRate(server, task);
    const { tried, held, failed } = foundBy(server, task.p99);
    for (const { rate, scheduled } of tried)
      for (const [query, arrival] of scheduled.entries())
        expect((arrival * rate) / 1000).toBeCloseTo(task.arrivals[query]!, 9);
    expect(tried.filter(({ outcome }) => outcome === 'held').every(({ rate }) => rate <= held!)).toBe(true);
    expect(held!).toBeLessThan(failed!);
    const lost = tried.filter(({ outcome }) => outcome === 'late');
    expect(lost.some(({ ended, planned }) => ended.length < planned)).toBe(true);
    for (const { ended, scheduled } of lost.filter(({ ended, planned }) => ended.length < planned)) {
      // It was not lost before the last query.
      const late = ended.filter((end, query) => end - scheduled[query]! > 2000).length;
      expect(late).toBe(mostLate(500) + 1);
      expect(ended.at(-1)! - scheduled.at(-1)!).toBeGreaterThan(2000);
    }
  });

  it('ends after one trial of a few queries where the model alone takes longer than the bound', async () => {
    const server = virtualServer(() => 30);
    await searchRate(server, serverTask(20, 500));
    const { tried, held, hopeless } = foundBy(server, 20);
    expect(tried).toHaveLength(1);
    expect(tried[0]!.outcome).toBe('too-slow');
    expect(tried[0]!.ended.length).toBeLessThan(12);
    expect([held, hopeless]).toEqual([undefined, true]);
  });

  it('holds no rate at which the queue grows for ever, however loose the bound is', async () => {
    const service = 500;
    const server = virtualServer(() => service);
    await searchRate(server, serverTask(1e8, 500, 1e9));
    const { held, tried, narrowed } = foundBy(server, 1e8);
    expect(narrowed).toBe(true);
    expect(held! * service).toBeLessThan(1000);
    expect(held! * service).toBeGreaterThan(970);
    expect(tried.some(({ outcome }) => outcome === 'overloaded')).toBe(true);
  });

  it('takes fewer queries where the time is short, ends when it is over, and says so', async () => {
    const server = virtualServer(() => 50);
    const task = serverTask(500, 500, 30);
    const begin = server.now();
    await searchRate(server, task);
    expect(server.now() - begin).toBeLessThan(30_000 + 100);
    const { tried, narrowed } = foundBy(server, task.p99);
    expect(tried.length).toBeGreaterThan(0);
    expect(new Set(tried.map(({ planned }) => planned))).toEqual(new Set([100]));
    expect(narrowed).toBe(false);
  });

  it('takes as many queries as a queue needs to grow as long as the bound allows', async () => {
    for (const [bound, least, planned] of [
      [6, 100, 1800],
      [6, 3000, 3000],
      [1000, 100, 20_000],
    ] as const) {
      const server = virtualServer(() => 400);
      await searchRate(server, { ...serverTask(bound * 400, 30_000), queries: least });
      expect(new Set(foundBy(server, bound * 400).tried.map((trial) => trial.planned))).toEqual(
        new Set([planned]),
      );
    }
  });

  it('finds a rate near the right one where the warm-up was far from what queries take', async () => {
    for (const typical of [5, 40_000]) {
      const server = virtualServer(() => 400, typical);
      await searchRate(server, serverTask(2400, 2000, 1e9));
      const { held, narrowed } = foundBy(server, 2400);
      expect(narrowed).toBe(true);
      expect(held! / ((1000 * highestLoad(6)) / 400)).toBeCloseTo(1, 0);
    }
  });
});

describe('queries that are all there at once', () => {
  const task: OfflineTask = {
    ...{ kind: 'offline', ...taskBase, ...files },
    ...{ minQueries: 10, minSeconds: 1, maxSeconds: 3, maxWarmupSeconds: 1 },
  };

  it('are as many as take the time that was asked for, and are served one after the other', async () => {
    const server = virtualServer(() => 50);
    await serveOffline(server, { ...task, minSeconds: 10, maxSeconds: 30 });
    const [{ rate, planned, scheduled, started, ended }, ...others] = server.trials() as [TrialRecord];
    expect([others.length, rate, planned]).toEqual([0, null, 200]);
    expect(scheduled).toEqual(new Array<number>(200).fill(0));
    expect(ended.at(-1)).toBeGreaterThanOrEqual(10_000);
    expect(ended.at(-1)).toBeLessThan(10_020);
    for (const [query, start] of started.entries())
      expect(start).toBeGreaterThanOrEqual(query === 0 ? 0 : ended[query - 1]!);
  });

  it('end when the time is over, with what was served until then', async () => {
    const server = virtualServer(() => 1000, 5);
    await serveOffline(server, task);
    const [{ planned, ended }] = server.trials() as [TrialRecord];
    expect(planned).toBe(200);
    expect(ended).toHaveLength(3);
  });
});
