import { describe, expect, test } from 'vitest';
import { mcnemar, pairedDifference, pairedOutcomes } from '../../src/stats/mcnemar.js';
import { binomialSum } from '../support/exact.js';

describe('mcnemar', () => {
  test('of 6 against 16 is 0.0525', () => {
    // 2 · (C(22,0) + … + C(22,6)) / 2²²
    expect(mcnemar({ onlyFirst: 6, onlySecond: 16 })).toBeCloseTo((2 * 110_056) / 2 ** 22, 14);
  });

  test('of 1 against 9 is 22/1024', () => {
    expect(mcnemar({ onlyFirst: 1, onlySecond: 9 })).toBeCloseTo(22 / 1024, 14);
  });

  test('of 9 against 2 is 0.0654', () => {
    // Fay, "Exact McNemar's Test and Matching Confidence Intervals" (vignette of the R package exact2x2).
    expect(mcnemar({ onlyFirst: 9, onlySecond: 2 }).toFixed(4)).toBe('0.0654');
  });

  test('is the sum of binomials for every small table', () => {
    for (let onlyFirst = 0; onlyFirst <= 25; onlyFirst++) {
      for (let onlySecond = 0; onlySecond <= 25; onlySecond++) {
        const n = onlyFirst + onlySecond;
        // Every split that is at least as uneven, on both sides.
        const uneven = Math.abs(onlyFirst - onlySecond);
        const lowest = (n - uneven) / 2;
        const expected = uneven === 0 ? 1 : 2 * binomialSum(n, 0, lowest, 1, 2);
        expect(mcnemar({ onlyFirst, onlySecond })).toBeCloseTo(expected, 12);
      }
    }
  });

  test.each([
    [400, 520],
    [4900, 5100],
    [0, 1000],
    [1, 3000],
  ])('is the sum of binomials for %d against %d', (onlyFirst, onlySecond) => {
    const expected = 2 * binomialSum(onlyFirst + onlySecond, 0, onlyFirst, 1, 2);
    const found = mcnemar({ onlyFirst, onlySecond });
    if (expected > 0) expect(found / expected).toBeCloseTo(1, 8);
    else expect(found).toBe(0);
  });

  test('does not care which classifier is the first', () => {
    for (let a = 0; a <= 40; a += 3)
      for (let b = 0; b <= 40; b += 7)
        expect(mcnemar({ onlyFirst: a, onlySecond: b })).toBe(mcnemar({ onlyFirst: b, onlySecond: a }));
  });

  test('is one without discordant images and for an even split', () => {
    expect(mcnemar({ onlyFirst: 0, onlySecond: 0 })).toBe(1);
    expect(mcnemar({ onlyFirst: 1, onlySecond: 1 })).toBe(1);
    expect(mcnemar({ onlyFirst: 50, onlySecond: 50 })).toBe(1);
  });
});

describe('pairedOutcomes', () => {
  test('counts the images that exactly one is right about', () => {
    //            both  first second none(same) none(different) first
    const labels = [0, 1, 2, 3, 4, 5];
    const first = [0, 1, 9, 8, 7, 5];
    const second = [0, 2, 2, 8, 6, 4];
    expect(pairedOutcomes(labels, first, second)).toEqual({ onlyFirst: 2, onlySecond: 1 });
    expect(pairedOutcomes(labels, second, first)).toEqual({ onlyFirst: 1, onlySecond: 2 });
  });

  test('takes typed arrays', () => {
    expect(pairedOutcomes(Uint8Array.of(1, 2), [1, 1], Uint8Array.of(2, 2))).toEqual({
      onlyFirst: 1,
      onlySecond: 1,
    });
  });

  test('refuses predictions for another number of images', () => {
    expect(() => pairedOutcomes([1, 2, 3], [1, 2], [1, 2, 3])).toThrow(RangeError);
    expect(() => pairedOutcomes([1, 2, 3], [1, 2, 3], [1, 2, 3, 4])).toThrow(RangeError);
  });
});

describe('pairedDifference', () => {
  test('of 1 against 7 of 21 is the published interval', () => {
    // Fagerland, Lydersen & Laake, Statistics in Medicine 2014: airway reactivity before and after transplantation.
    const { value, low, high } = pairedDifference({ onlyFirst: 1, onlySecond: 7 }, 21);
    expect(value).toBeCloseTo(-600 / 21, 10);
    expect([low.toFixed(1), high.toFixed(1)]).toEqual(['-51.7', '-2.6']);
  });

  test('of 28 against 25 of 618 at 90 % is that of PropCIs::scoreci.mp', () => {
    const { low, high } = pairedDifference({ onlyFirst: 28, onlySecond: 25 }, 618, 0.9);
    expect([low.toFixed(2), high.toFixed(2)]).toEqual(['-1.48', '2.47']);
  });

  test('of no discordant images has the width that so many images leave', () => {
    const z = 1.959963984540054;
    const { value, low, high } = pairedDifference({ onlyFirst: 0, onlySecond: 0 }, 100);
    expect(value).toBe(0);
    expect(high).toBeCloseTo((100 * z ** 2) / (100 + z ** 2), 8);
    expect(low).toBeCloseTo(-high, 8);
  });

  test('mirrors that of the classifiers exchanged, and stays within 100 points', () => {
    for (const [a, b, n] of [
      [3, 9, 40],
      [0, 5, 5],
      [5, 0, 5],
      [1, 0, 1],
      [120, 80, 10_000],
    ] as const) {
      const own = pairedDifference({ onlyFirst: a, onlySecond: b }, n);
      const other = pairedDifference({ onlyFirst: b, onlySecond: a }, n);
      expect(own.low).toBeCloseTo(-other.high, 8);
      expect(own.high).toBeCloseTo(-other.low, 8);
      expect(own.low).toBeGreaterThanOrEqual(-100);
      expect(own.high).toBeLessThanOrEqual(100);
      expect(own.low).toBeLessThanOrEqual(own.value);
      expect(own.high).toBeGreaterThanOrEqual(own.value);
    }
  });
});
