import { describe, expect, test } from 'vitest';
import { binomialCumulative, binomialProbability } from '../../src/stats/binomial.js';
import { binomialSum } from '../support/exact.js';

const shares = [
  [1, 2],
  [1, 3],
  [1, 10],
  [99, 100],
] as const;

describe('binomialProbability', () => {
  test.each([1, 2, 10, 199, 10_000])('sums to one over all outcomes of %d trials', (n) => {
    for (const p of [0, 0.003, 0.5, 0.9, 1]) {
      let sum = 0;
      for (let k = 0; k <= n; k++) sum += binomialProbability(n, k, p);
      expect(sum).toBeCloseTo(1, 9);
    }
  });

  test.each(shares)('at %d/%d is the exact fraction', (a, b) => {
    for (const n of [1, 7, 40, 100]) {
      for (let k = 0; k <= n; k++)
        expect(binomialProbability(n, k, a / b) / binomialSum(n, k, k, a, b)).toBeCloseTo(1, 10);
    }
  });

  test('is certain where every trial succeeds, or none', () => {
    expect(binomialProbability(5, 0, 0)).toBe(1);
    expect(binomialProbability(5, 1, 0)).toBe(0);
    expect(binomialProbability(5, 5, 1)).toBe(1);
    expect(binomialProbability(5, 4, 1)).toBe(0);
  });
});

describe('binomialCumulative', () => {
  test.each(shares)('at %d/%d is the exact fraction', (a, b) => {
    for (const n of [1, 7, 40, 100]) {
      for (let k = 0; k <= n; k++)
        expect(binomialCumulative(n, k, a / b) / binomialSum(n, 0, k, a, b)).toBeCloseTo(1, 10);
    }
  });

  test('of ten thousand trials is the exact fraction', () => {
    expect(binomialCumulative(10_000, 4900, 0.5) / binomialSum(10_000, 0, 4900, 1, 2)).toBeCloseTo(1, 9);
  });

  test('is nothing below zero and one from the last outcome on', () => {
    expect(binomialCumulative(10, -1, 0.3)).toBe(0);
    expect(binomialCumulative(10, 10, 0.3)).toBeCloseTo(1, 12);
    expect(binomialCumulative(10, 11, 0.3)).toBeCloseTo(1, 12);
    expect(binomialCumulative(1000, 1000, 0.3)).toBeLessThanOrEqual(1);
  });
});
