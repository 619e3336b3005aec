import { describe, expect, test } from 'vitest';
import { permutation, seededRandom } from '../../src/base/random.js';
import { medianEstimate } from '../../src/stats/median.js';
import { binomialSum } from '../support/exact.js';
import { covers, draw, exponential, shareOf } from '../support/simulate.js';

/** 1 … n in random order: an order statistic is its own rank. */
function ranks(n: number): number[] {
  return permutation(n, seededRandom(n)).map((index) => index + 1);
}

const distributions = [
  ['exponential', exponential, Math.LN2],
  ['normal', (random: Parameters<typeof exponential>[0]) => random.normal(), 0],
] as const;

describe('medianEstimate', () => {
  // Conover, "Practical Nonparametric Statistics", interval of the median: ranks of the two order statistics.
  test.each([
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [10, 2, 9],
    [15, 4, 12],
    [20, 6, 15],
    [25, 8, 18],
    [30, 10, 21],
    [50, 18, 33],
  ])('of %d samples ends at the tabulated ranks %d and %d', (n, low, high) => {
    expect(medianEstimate(ranks(n))).toEqual({ value: (n + 1) / 2, low, high });
  });

  test.each([
    [0.5, 2],
    [0.9, 5],
    [0.95, 6],
    [0.99, 8],
  ])('is the narrowest symmetric pair of order statistics that covers with %d', (confidence, from) => {
    for (let n = from; n <= 130; n++) {
      const { low, high } = medianEstimate(ranks(n), confidence);
      expect(low + high).toBe(n + 1);
      // The interval covers unless fewer than `low` samples are below the median, or fewer than that above.
      expect(binomialSum(n, low, n - low, 1, 2)).toBeGreaterThanOrEqual(confidence);
      if (low + 1 <= n / 2) expect(binomialSum(n, low + 1, n - low - 1, 1, 2)).toBeLessThan(confidence);
    }
  });

  test('of up to six samples is all of them', () => {
    expect(medianEstimate([3])).toEqual({ value: 3, low: 3, high: 3 });
    expect(medianEstimate([4, 2])).toEqual({ value: 3, low: 2, high: 4 });
    expect(medianEstimate([9, 2, 4])).toEqual({ value: 4, low: 2, high: 9 });
    for (let n = 1; n <= 6; n++) expect(medianEstimate(ranks(n))).toMatchObject({ low: 1, high: n });
  });

  test('ends at samples, around the median, and leaves the samples alone', () => {
    const random = seededRandom(5);
    for (let i = 0; i < 300; i++) {
      const samples = draw(1 + random.integer(60), () => exponential(random));
      const before = [...samples];
      const { value, low, high } = medianEstimate(samples);
      expect(samples).toContain(low);
      expect(samples).toContain(high);
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(samples).toEqual(before);
    }
  });

  test('sorts by value, not by digits', () => {
    expect(medianEstimate([10, 9, 100, 1, 8])).toEqual({ value: 9, low: 1, high: 100 });
  });

  describe.each(distributions)('of %s samples', (_name, one, truth) => {
    test.each([10, 30, 101])('covers the median in 93 to 100 % of 2,000 cases of %d', (n) => {
      const share = shareOf(2000, n, (random) => covers(medianEstimate(draw(n, () => one(random))), truth));
      expect(share).toBeGreaterThanOrEqual(0.93);
      // What the ranks say it should be, but for the simulation's error.
      const { low } = medianEstimate(ranks(n));
      expect(Math.abs(share - binomialSum(n, low, n - low, 1, 2))).toBeLessThan(0.02);
    });

    test('covers the median in close to 95 % of 1,500 cases of 1,001', () => {
      const share = shareOf(1500, 7, (random) =>
        covers(medianEstimate(draw(1001, () => one(random))), truth),
      );
      expect(Math.abs(share - 0.95)).toBeLessThan(0.02);
    });
  });

  test('of 100,000 samples ends at the ranks of the normal approximation', () => {
    const n = 100_000;
    const { low, high } = medianEstimate(ranks(n));
    const half = (1.959964 * Math.sqrt(n)) / 2;
    expect(Math.abs(low - (n / 2 - half))).toBeLessThan(2);
    expect(Math.abs(high - (n / 2 + half))).toBeLessThan(2);
  });
});
