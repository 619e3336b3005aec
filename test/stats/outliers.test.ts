import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { outlierFlags } from '../../src/stats/outliers.js';
import { draw } from '../support/simulate.js';

describe('outlierFlags', () => {
  test('of the example of Iglewicz and Hoaglin flags the two that they flag', () => {
    // "How to Detect and Handle Outliers", 1993, section 3.3: median 3.22, MAD 0.13 or so, 5.38 far off.
    const samples = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3];
    expect(outlierFlags(samples)).toEqual(samples.map((sample) => sample > 8));
  });

  test('begins beyond 3.5 robust standard deviations', () => {
    // Median 0 and MAD 1: the limit lies at 3.5 / 0.6745 = 5.1891.
    const body = [-1, -1, -1, 0, 1, 1, 1];
    expect(outlierFlags([...body, 5.18, -5.18]).some(Boolean)).toBe(false);
    expect(outlierFlags([...body, 5.2, -5.2]).filter(Boolean)).toHaveLength(2);
  });

  test('falls back on the mean deviation where more than half are equal', () => {
    const equal = draw(40, () => 7);
    expect(outlierFlags(equal).some(Boolean)).toBe(false);
    expect(outlierFlags([...equal, 7.001]).filter(Boolean)).toHaveLength(1);
    expect(outlierFlags([7, 7, 7, 8, 6]).some(Boolean)).toBe(false);
  });

  test('flags about 0.05 % of normal samples, wherever and however wide they are', () => {
    const random = seededRandom(3);
    const samples = draw(50_000, () => random.normal());
    const flags = outlierFlags(samples);
    expect(flags.filter(Boolean).length / 50_000).toBeLessThan(0.0008);
    expect(flags.filter(Boolean).length / 50_000).toBeGreaterThan(0.0002);
    expect(outlierFlags(samples.map((sample) => 1000 - 64 * sample))).toEqual(flags);
  });

  test('of nothing is nothing', () => {
    expect(outlierFlags([])).toEqual([]);
    expect(outlierFlags([1])).toEqual([false]);
  });
});
