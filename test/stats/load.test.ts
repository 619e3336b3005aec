import { mean, sampleVariance } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { loadOutcome, mostLate, poissonArrivals, responseTail, utilisation } from '../../src/stats/load.js';
import { nextRate, rateBracket, RATE_RESOLUTION, type TriedRate } from '../../src/stats/rate-search.js';
import { medianUnbiased } from '../../src/stats/tail.js';

describe('arrivals of a Poisson process', () => {
  const arrivals = poissonArrivals(400_000, seededRandom(7));
  const gaps = arrivals.map((arrival, index) => arrival - (arrivals[index - 1] ?? 0));

  it('follow from the seed alone', () => {
    expect(poissonArrivals(100, seededRandom(7))).toEqual(arrivals.slice(0, 100));
    expect(poissonArrivals(100, seededRandom(8))).not.toEqual(arrivals.slice(0, 100));
  });

  it('lie apart by exponential times: mean, variance and tail', () => {
    expect(gaps.reduce((least, gap) => Math.min(least, gap))).toBeGreaterThan(0);
    expect(mean(gaps)).toBeCloseTo(1, 1.7);
    expect(sampleVariance(gaps)).toBeCloseTo(1, 1.5);
    for (const time of [0.1, 1, 3, 5])
      expect(gaps.filter((gap) => gap > time).length / gaps.length).toBeCloseTo(Math.exp(-time), 2);
  });

  it('do not know of each other: in a unit of time there are as many on average as their variance is', () => {
    const counts = new Array<number>(390_000).fill(0);
    for (const arrival of arrivals) if (arrival < counts.length) counts[Math.floor(arrival)]! += 1;
    expect(mean(counts)).toBeCloseTo(1, 1.5);
    expect(sampleVariance(counts)).toBeCloseTo(1, 1.5);
    const neighbours = counts.slice(1).map((count, index) => (count - 1) * (counts[index]! - 1));
    expect(mean(neighbours)).toBeCloseTo(0, 1.5);
  });
});

/** Queries with these response times that follow each other without any waiting but what they are told. */
function loadOf(times: readonly number[], planned = times.length, waiting = 0) {
  const scheduled = times.map((_, query) => 1000 * (query + 1));
  const started = scheduled.map((arrival) => arrival + waiting);
  const ended = scheduled.map((arrival, query) => arrival + times[query]!);
  return { scheduled, started, ended, planned, rate: 1 };
}

describe('what becomes of a rate', () => {
  it('is lost exactly when so many queries are late that the p99 of all is, whatever the others take', () => {
    for (const planned of [100, 150, 500, 1000, 2000]) {
      const allowed = mostLate(planned);
      const withLate = (late: number): number[] =>
        Array.from({ length: planned }, (_, query) => (query < late ? 11 : 1));
      // With one more than that late, even by the least, no others can make up for it.
      expect(medianUnbiased(withLate(allowed + 1), 0.99)).toBeGreaterThan(10);
      expect(loadOutcome(loadOf(withLate(allowed + 1).slice(0, allowed + 1), planned, 5), 10)).toBe('late');
      expect(loadOutcome(loadOf(withLate(allowed).slice(0, allowed), planned, 5), 10)).toBe('unfinished');
    }
  });

  it('is decided by the p99 that is told', () => {
    const random = seededRandom(3);
    for (let i = 0; i < 200; i++) {
      const load = loadOf(Array.from({ length: 200 }, () => -Math.log(1 - random.uniform())));
      const bound = 3.5 + 2.5 * random.uniform();
      const fits = responseTail(load)! <= bound;
      expect(loadOutcome(load, bound) === 'held').toBe(fits);
    }
  });

  it('tells a model that is too slow from a queue that is too long', () => {
    const times = new Array<number>(100).fill(20);
    expect(loadOutcome(loadOf(times), 10)).toBe('too-slow');
    expect(loadOutcome(loadOf(times, 100, 15), 10)).toBe('late');
    expect(utilisation(loadOf(times))).toBeCloseTo(0.02);
    expect(responseTail(loadOf(times.slice(1), 100))).toBeUndefined();
  });
});

/** Tries rates as the search asks for them, against a server that holds all up to one. */
function searched(highest: number, first: number): TriedRate[] {
  const tried: TriedRate[] = [];
  for (let rate = nextRate([], first); rate !== undefined; rate = nextRate(tried, first))
    tried.push({ rate, outcome: rate <= highest ? 'held' : 'late' });
  return tried;
}

describe('the order in which rates are tried', () => {
  it('narrows any highest rate down to the resolution, in a few steps', () => {
    const random = seededRandom(5);
    for (let i = 0; i < 500; i++) {
      const [highest, first] = [10 ** (4 * random.uniform()), 10 ** (4 * random.uniform())];
      const tried = searched(highest, first);
      const { held, failed, narrowed } = rateBracket(tried);
      expect(narrowed).toBe(true);
      expect(held!).toBeLessThanOrEqual(highest);
      expect(failed!).toBeGreaterThan(highest);
      expect(failed! / held!).toBeLessThanOrEqual(1 + RATE_RESOLUTION);
      expect(tried.length).toBeLessThanOrEqual(9 + Math.abs(Math.log2(highest / first)));
    }
  });

  it('ends where no rate can hold, where one was not finished, and at last where all hold', () => {
    expect(nextRate([{ rate: 1, outcome: 'too-slow' }], 1)).toBeUndefined();
    expect(nextRate([{ rate: 1, outcome: 'unfinished' }], 1)).toBeUndefined();
    expect(rateBracket(searched(Infinity, 1)).narrowed).toBe(false);
  });

  it('counts no rate as held above one that did not hold', () => {
    const tried: TriedRate[] = [
      { rate: 1, outcome: 'held' },
      { rate: 2, outcome: 'late' },
      { rate: 3, outcome: 'held' },
    ];
    expect(rateBracket(tried)).toMatchObject({ held: 1, failed: 2 });
  });
});
