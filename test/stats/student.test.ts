import { describe, expect, test } from 'vitest';
import { studentQuantile, studentTail } from '../../src/stats/student.js';

describe('studentQuantile', () => {
  // The usual tables, to as many digits as they give.
  test.each([
    [1, 12.7062, 63.6567],
    [2, 4.30265, 9.92484],
    [3, 3.18245, 5.84091],
    [4, 2.77645, 4.60409],
    [10, 2.22814, 3.16927],
    [30, 2.04227, 2.75],
    [100, 1.98397, 2.62589],
  ])('with %d degrees of freedom is the tabulated value', (degrees, at975, at995) => {
    expect(Math.abs(studentQuantile(0.975, degrees) / at975 - 1)).toBeLessThan(4e-6);
    expect(Math.abs(studentQuantile(0.995, degrees) / at995 - 1)).toBeLessThan(4e-6);
  });

  test('with one degree of freedom is that of the Cauchy distribution', () => {
    for (const p of [0.6, 0.75, 0.9, 0.975, 0.995, 0.9999])
      expect(studentQuantile(p, 1) / Math.tan(Math.PI * (p - 0.5))).toBeCloseTo(1, 9);
  });

  test('with two degrees of freedom is its closed form', () => {
    for (const p of [0.6, 0.75, 0.9, 0.975, 0.995, 0.9999])
      expect(studentQuantile(p, 2) / ((2 * p - 1) / Math.sqrt(2 * p * (1 - p)))).toBeCloseTo(1, 9);
  });

  test('falls to the normal quantile as the degrees of freedom rise', () => {
    const degrees = [1, 2, 3, 5, 8, 20, 50, 200, 1000, 100_000];
    const quantiles = degrees.map((each) => studentQuantile(0.975, each));
    for (let i = 1; i < quantiles.length; i++) expect(quantiles[i]!).toBeLessThan(quantiles[i - 1]!);
    const z = 1.959963984540054;
    // The first term of the expansion in 1 / degrees (Abramowitz & Stegun, 26.7.5).
    expect(studentQuantile(0.975, 1000)).toBeCloseTo(z + (z ** 3 + z) / 4000, 5);
    expect(studentQuantile(0.975, 100_000)).toBeCloseTo(z + (z ** 3 + z) / 400_000, 7);
  });
});

describe('studentTail', () => {
  test('with one and two degrees of freedom is its closed form', () => {
    for (const t of [-30, -2, -0.1, 0, 0.5, 1, 4, 1e4]) {
      expect(studentTail(t, 1)).toBeCloseTo(0.5 - Math.atan(t) / Math.PI, 12);
      expect(studentTail(t, 2)).toBeCloseTo(0.5 - t / (2 * Math.sqrt(2 + t * t)), 12);
    }
  });

  test('is the inverse of the quantile, also between whole degrees of freedom', () => {
    for (const degrees of [1, 1.5, 2.7, 9.3, 120.5])
      for (const p of [0.6, 0.9, 0.975, 0.9999])
        expect(studentTail(studentQuantile(p, degrees), degrees) / (1 - p)).toBeCloseTo(1, 8);
  });

  test('keeps the digits of a small tail, and ends at zero', () => {
    // P(T > t) → Γ((ν+1)/2) ν^(ν/2) / (√π Γ(ν/2) ν t^ν): for ν = 3 it is 2 √3 / (π t³).
    const t = 1e6;
    expect(studentTail(t, 3) / ((2 * Math.sqrt(3)) / (Math.PI * t ** 3))).toBeCloseTo(1, 8);
    expect(studentTail(Infinity, 4)).toBe(0);
    expect(studentTail(-Infinity, 4)).toBe(1);
  });
});
