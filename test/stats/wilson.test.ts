import { describe, expect, test } from 'vitest';
import { wilson } from '../../src/stats/wilson.js';

describe('wilson', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 1998, table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d is the published interval', (successes, trials, low, high) => {
    const estimate = wilson(successes, trials);
    expect(estimate.value).toBe(successes / trials);
    expect(estimate.low.toFixed(4)).toBe(low.toFixed(4));
    expect(estimate.high.toFixed(4)).toBe(high.toFixed(4));
  });

  test.each([
    [0.95, 1.959963984540054],
    [0.99, 2.5758293035489004],
  ])('at %d ends where the score test just rejects', (confidence, z) => {
    for (const trials of [1, 2, 10, 97, 10_000]) {
      for (const share of [0, 0.1, 0.5, 0.93, 1]) {
        const successes = Math.round(share * trials);
        const { value, low, high } = wilson(successes, trials, confidence);
        for (const end of [low, high]) {
          // At an end of 0 or 1 the estimate is that end, and there is nothing to reject.
          const score = Math.abs(value - end) - z * Math.sqrt((end * (1 - end)) / trials);
          expect(score).toBeCloseTo(0, 8);
        }
        expect(high).toBeGreaterThan(low);
      }
    }
  });

  test('holds the proportion and stays between 0 and 1, at the ends exactly', () => {
    for (let trials = 1; trials < 20_000; trials = Math.ceil(1.05 * trials)) {
      for (let successes = 0; successes <= trials; successes += Math.ceil(trials / 20)) {
        const { value, low, high } = wilson(successes, trials);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(value);
        expect(high).toBeGreaterThanOrEqual(value);
      }
      expect(wilson(0, trials).low).toBe(0);
      expect(wilson(trials, trials).high).toBe(1);
    }
  });

  test('of the failures mirrors that of the successes', () => {
    for (let successes = 0; successes <= 37; successes++) {
      const [own, mirrored] = [wilson(successes, 37), wilson(37 - successes, 37)];
      expect(own.low).toBeCloseTo(1 - mirrored.high, 12);
      expect(own.high).toBeCloseTo(1 - mirrored.low, 12);
    }
  });
});
