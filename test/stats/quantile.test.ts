import { describe, expect, test } from 'vitest';
import { permutation, seededRandom } from '../../src/base/random.js';
import { medianEstimate } from '../../src/stats/median.js';
import { quantileEstimate } from '../../src/stats/quantile.js';
import { binomialSum } from '../support/exact.js';
import { covers, draw, exponential, shareOf } from '../support/simulate.js';

/** 1 … n in random order: an order statistic is its own rank. */
function ranks(n: number): number[] {
  return permutation(n, seededRandom(n)).map((index) => index + 1);
}

describe('quantileEstimate', () => {
  test.each([
    [1, 2],
    [9, 10],
    [1, 10],
    [99, 100],
    [3, 4],
  ])('at %d/%d is the narrowest pair of order statistics with half of α on either side', (a, b) => {
    for (const confidence of [0.9, 0.95, 0.99]) {
      for (const n of [1, 5, 20, 64, 131, 400]) {
        const { low, high, coverage } = quantileEstimate(ranks(n), a / b, confidence);
        const half = (1 - confidence) / 2;
        const below = (rank: number): number => binomialSum(n, 0, rank - 1, a, b);
        const above = (rank: number): number => binomialSum(n, rank, n, a, b);
        if (low > 1) expect(below(low)).toBeLessThanOrEqual(half);
        if (low < high) expect(below(low + 1)).toBeGreaterThan(half);
        if (high < n) expect(above(high)).toBeLessThanOrEqual(half);
        if (high > low) expect(above(high - 1)).toBeGreaterThan(half);
        expect(coverage).toBeCloseTo(1 - below(low) - above(high), 9);
      }
    }
  });

  test('says so where the samples are too few', () => {
    const { high, coverage } = quantileEstimate(ranks(20), 0.9);
    expect(high).toBe(20);
    expect(coverage).toBeLessThan(1 - 0.9 ** 20);
    expect(quantileEstimate(ranks(200), 0.9).coverage).toBeGreaterThanOrEqual(0.95);
  });

  test('takes the sample that p of all do not exceed, or the middle of two', () => {
    expect(quantileEstimate(ranks(10), 0.9).value).toBe(9.5);
    expect(quantileEstimate(ranks(11), 0.9).value).toBe(10);
    expect(quantileEstimate(ranks(100), 0.07).value).toBe(7.5);
    expect(quantileEstimate(ranks(5), 0.2).value).toBe(1.5);
    expect(quantileEstimate([3], 0.99)).toMatchObject({ value: 3, low: 3, high: 3 });
  });

  test('at one half is the median', () => {
    for (const n of [1, 2, 9, 10, 57])
      expect(quantileEstimate(ranks(n), 0.5)).toMatchObject(medianEstimate(ranks(n)));
  });

  test('mirrors that of the mirrored samples', () => {
    const samples = draw(70, () => exponential(seededRandom(4)));
    const mirrored = samples.map((each) => -each);
    const [own, other] = [quantileEstimate(samples, 0.9), quantileEstimate(mirrored, 0.1)];
    expect(own.value).toBeCloseTo(-other.value, 12);
    expect(own.low).toBe(-other.high);
    expect(own.high).toBe(-other.low);
  });

  test.each([
    [0.9, 64],
    [0.99, 1024],
  ])('covers the quantile %d of %d samples as often as it says', (p, n) => {
    const stated = quantileEstimate(ranks(n), p).coverage;
    const share = shareOf(2000, n, (random) =>
      covers(
        quantileEstimate(
          draw(n, () => exponential(random)),
          p,
        ),
        -Math.log(1 - p),
      ),
    );
    expect(Math.abs(share - stated)).toBeLessThan(0.015);
  });
});
