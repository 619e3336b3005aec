import { describe, expect, test } from 'vitest';
import { permutation, seededRandom } from '../../src/base/random.js';
import { samplesNeeded, tailEstimate } from '../../src/stats/early-stopping.js';
import { binomialSum } from '../support/exact.js';
import { draw, exponential, shareOf } from '../support/simulate.js';

/** 1 … n in random order: the t-th largest is n + 1 − t. */
function ranks(n: number): number[] {
  return permutation(n, seededRandom(n)).map((index) => index + 1);
}

describe('samplesNeeded', () => {
  // MLPerf Inference's early stopping at 99 % confidence; 64 and 662 are the published minima for p90 and p99.
  test.each([
    [0.5, 11],
    [0.9, 64],
    [0.95, 130],
    [0.97, 219],
    [0.99, 662],
    [0.999, 6636],
  ])('for the quantile %d is %d', (p, n) => {
    expect(samplesNeeded(p)).toBe(n);
    expect(tailEstimate(ranks(n), p)).toEqual({ value: n, rank: 1 });
    expect(tailEstimate(ranks(n - 1), p)).toBeUndefined();
  });

  test('of less confidence is less', () => {
    expect(samplesNeeded(0.9, 0.95)).toBeLessThan(64);
    expect(tailEstimate(ranks(samplesNeeded(0.9, 0.95)), 0.9, 0.95)?.rank).toBe(1);
  });
});

describe('tailEstimate', () => {
  test.each([
    [100, 3],
    [1024, 80],
  ])('reports of %d samples the %d-th largest as p90', (n, rank) => {
    expect(tailEstimate(ranks(n), 0.9)).toEqual({ value: n + 1 - rank, rank });
  });

  test.each([
    [64, 9, 10],
    [500, 9, 10],
    [3000, 99, 100],
    [40, 1, 2],
  ])('takes the largest rank that the rule allows of %d at %d/%d', (n, a, b) => {
    const { rank } = tailEstimate(ranks(n), a / b)!;
    expect(binomialSum(n, 0, rank, b - a, b)).toBeLessThanOrEqual(0.01);
    expect(binomialSum(n, 0, rank + 1, b - a, b)).toBeGreaterThan(0.01);
  });

  test.each([64, 100, 500])('is below the quantile in less than 1 %% of 2,000 cases of %d', (n) => {
    const share = shareOf(2000, n, (random) => {
      const { value } = tailEstimate(
        draw(n, () => exponential(random)),
        0.9,
      )!;
      return value < Math.log(10);
    });
    expect(share).toBeLessThanOrEqual(0.01 + 3 * Math.sqrt((0.01 * 0.99) / 2000));
  });
});
