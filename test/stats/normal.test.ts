import { describe, expect, test } from 'vitest';
import { normalQuantile, normalTail } from '../../src/stats/normal.js';

describe('normalTail', () => {
  // Abramowitz & Stegun, table 26.1.
  test.each([
    [0, 0.5],
    [0.5, 0.308537538725987],
    [1, 0.158655253931457],
    [1.96, 0.0249978951482205],
    [3, 0.00134989803163009],
    [5, 2.86651571879194e-7],
  ])('of %d is the published value', (z, tail) => {
    expect(Math.abs(normalTail(z) - tail)).toBeLessThan(1e-15);
  });

  test('of both sides is one', () => {
    for (let z = -10; z <= 10; z += 0.01) expect(normalTail(z) + normalTail(-z)).toBeCloseTo(1, 14);
  });

  test('falls from one to zero', () => {
    for (let z = -10; z < 10; z += 0.01) {
      expect(normalTail(z + 0.01)).toBeLessThanOrEqual(normalTail(z) + 1e-15);
      expect(normalTail(z)).toBeGreaterThanOrEqual(0);
    }
    expect(normalTail(-10)).toBe(1);
    expect(normalTail(Infinity)).toBe(0);
  });
});

describe('normalQuantile', () => {
  test.each([
    [0.5, 0],
    [0.9, 1.2815515655446],
    [0.975, 1.95996398454005],
    [0.995, 2.5758293035489],
    [0.9995, 3.29052673149193],
    [0.025, -1.95996398454005],
  ])('of %d is the published value', (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 12);
  });

  test('is the inverse of the distribution', () => {
    for (let p = 0.001; p < 1; p += 0.001) expect(1 - normalTail(normalQuantile(p))).toBeCloseTo(p, 14);
  });
});
