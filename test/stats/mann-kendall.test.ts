import { describe, expect, test } from 'vitest';
import { permutation, seededRandom } from '../../src/base/random.js';
import { mannKendall } from '../../src/stats/mann-kendall.js';
import { theilSen } from '../../src/stats/theil-sen.js';
import { draw } from '../support/simulate.js';

/** Kendall's score: pairs in order less pairs in reverse. */
function score(values: readonly number[]): number {
  let sum = 0;
  values.forEach((late, j) => values.slice(0, j).forEach((early) => (sum += Math.sign(late - early))));
  return sum;
}

/** All orders of some values. */
function* orders(values: readonly number[]): Generator<number[]> {
  if (values.length === 0) yield [];
  for (let i = 0; i < values.length; i++)
    for (const rest of orders(values.toSpliced(i, 1))) yield [values[i]!, ...rest];
}

describe('mannKendall', () => {
  test.each([
    [5, 0.012],
    [8, 0.006],
  ])('of %d values is close to the share of all orders that are at least as monotone', (n, tolerance) => {
    const counts = new Map<number, number>();
    let all = 0;
    for (const order of orders(draw(n, () => 0).map((_, index) => index))) {
      const size = Math.abs(score(order));
      counts.set(size, (counts.get(size) ?? 0) + 1);
      all += 1;
    }
    const random = seededRandom(n);
    for (let i = 0; i < 30; i++) {
      const values = permutation(n, random);
      let exact = 0;
      for (const [size, count] of counts) if (size >= Math.abs(score(values))) exact += count / all;
      if (exact <= 0.2) expect(Math.abs(mannKendall(values) - exact)).toBeLessThan(tolerance);
    }
    const monotone = draw(n, () => 0).map((_, index) => index);
    expect(Math.abs(mannKendall(monotone) - 2 / all)).toBeLessThan(tolerance);
  });

  test('takes ties out of the variance', () => {
    // 1 1 2 2 3: score 8, variance (5 · 4 · 15 − 2 · 2 · 1 · 9) / 18 = 14.667, z = 7 / 3.8297.
    expect(mannKendall([1, 1, 2, 2, 3])).toBeCloseTo(0.06758, 4);
    expect(mannKendall([4, 4, 4, 4])).toBe(1);
    expect(mannKendall([4])).toBe(1);
  });

  test('is the same of the reverse, and of any rising function, and larger when the variance is', () => {
    const random = seededRandom(2);
    const values = draw(20, () => 0).map((_, index) => index + 6 * random.normal());
    const p = mannKendall(values);
    expect(mannKendall([...values].reverse())).toBe(p);
    expect(mannKendall(values.map((value) => Math.exp(value / 9)))).toBe(p);
    expect(mannKendall(values, 2)).toBeGreaterThan(p);
  });
});

describe('theilSen', () => {
  test('is the slope of a line, also with a quarter of it spoilt', () => {
    const line = draw(40, () => 0).map((_, index) => 7 - 0.25 * index);
    expect(theilSen(line)).toBeCloseTo(-0.25, 12);
    expect(theilSen(line.map((value, index) => (index % 4 === 1 ? 1000 * index : value)))).toBeLessThan(0);
  });

  test('is the median of all slopes', () => {
    // Slopes -1, 1, 4/3, 3/2, 5/2, 4.
    expect(theilSen([0, 1, 5, 4])).toBeCloseTo((4 / 3 + 1.5) / 2, 12);
    expect(theilSen([3])).toBe(0);
    expect(theilSen([])).toBe(0);
  });
});
