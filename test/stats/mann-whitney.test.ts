import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { mannWhitney } from '../../src/stats/mann-whitney.js';
import { draw, exponential, shareOf } from '../support/simulate.js';

// Ozone in New York in May and August 1973 (Chambers et al., "Graphical Methods for Data Analysis", 1983).
const may = [
  41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37,
];
const august = [
  39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85,
];

/** The exact two-sided probability: over all ways to deal the values out, the share that is at least as uneven. */
function byEnumeration(first: readonly number[], second: readonly number[]): number {
  const all = [...first, ...second];
  const centre = (first.length * second.length) / 2;
  const unevenness = (own: readonly number[], other: readonly number[]): number => {
    let u = 0;
    for (const a of own) for (const b of other) u += a > b ? 1 : a === b ? 0.5 : 0;
    return Math.abs(u - centre);
  };
  const observed = unevenness(first, second);
  let [total, atLeast] = [0, 0];
  for (let mask = 0; mask < 1 << all.length; mask++) {
    const own = all.filter((_, index) => (mask >> index) & 1);
    if (own.length !== first.length) continue;
    const other = all.filter((_, index) => !((mask >> index) & 1));
    total += 1;
    if (unevenness(own, other) >= observed) atLeast += 1;
  }
  return atLeast / total;
}

/** The exact two-sided probability of every U without ties, by the recursion of Mann and Whitney over the largest value. */
function exactTails(m: number, n: number): number[] {
  const memo = new Map<string, number>();
  const ways = (u: number, a: number, b: number): number => {
    if (u < 0 || u > a * b) return 0;
    if (a === 0 || b === 0) return 1;
    const key = `${u} ${a} ${b}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const count = ways(u - b, a - 1, b) + ways(u, a, b - 1);
    memo.set(key, count);
    return count;
  };
  const counts = Array.from({ length: m * n + 1 }, (_, u) => ways(u, m, n));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const centre = (m * n) / 2;
  return counts.map((_, u) => {
    let tail = 0;
    counts.forEach((count, other) => {
      if (Math.abs(other - centre) >= Math.abs(u - centre)) tail += count;
    });
    return tail / all;
  });
}

describe('mannWhitney', () => {
  test('of the documented example of scipy.stats.mannwhitneyu is its exact p', () => {
    expect(mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12])).toBeCloseTo(1 / 9, 12);
  });

  test('of the documented example of R wilcox.test, with ties, is its p', () => {
    expect(mannWhitney(may, august).toPrecision(4)).toBe('0.0001208');
  });

  test.each([
    ['without ties', (value: number) => value],
    ['with ties', Math.round],
  ])('of small samples %s is the exact probability', (_name, rounded) => {
    const random = seededRandom(11);
    for (const [m, n] of [
      [7, 7],
      [1, 9],
      [4, 4],
      [5, 9],
    ] as const) {
      for (const shift of [0, 0.5, 1, 2]) {
        const first = draw(m, () => rounded(random.normal()));
        const second = draw(n, () => rounded(random.normal() + shift));
        expect(mannWhitney(first, second)).toBeCloseTo(byEnumeration(first, second), 12);
      }
    }
  });

  test.each([
    [10, 11],
    [5, 16],
    [3, 18],
    [30, 30],
  ])('of %d and %d values is within 0.008 of an exact probability below 0.1', (m, n) => {
    const exact = exactTails(m, n);
    const low = draw(n, () => 0).map((_, index) => index);
    for (let u = 0; u <= m * n; u++) {
      if (exact[u]! > 0.1) continue;
      // So many pairs in which the first is the larger: as many values as fit above all others, and one between.
      const above = Math.floor(u / n);
      const first: number[] = [];
      for (let i = 0; i < m; i++) first.push(i < above ? n + i : i === above ? (u % n) - 0.5 : -1 - i);
      expect(Math.abs(mannWhitney(first, low) - exact[u]!)).toBeLessThan(0.008);
    }
  });

  test('does not care which sample is the first, nor in what order it is', () => {
    const random = seededRandom(12);
    for (let i = 0; i < 100; i++) {
      const first = draw(3 + random.integer(20), () => Math.round(3 * random.normal()));
      const second = draw(3 + random.integer(20), () => Math.round(3 * random.normal()));
      const p = mannWhitney(first, second);
      expect(mannWhitney(second, first)).toBeCloseTo(p, 12);
      expect(mannWhitney([...first].reverse(), second.toSorted())).toBeCloseTo(p, 12);
      expect(p).toBeGreaterThanOrEqual(0);
      expect(p).toBeLessThanOrEqual(1);
    }
  });

  test('looks at ranks alone', () => {
    const first = may.map((value) => Math.exp(value / 20));
    const second = august.map((value) => Math.exp(value / 20));
    expect(mannWhitney(first, second)).toBe(mannWhitney(may, august));
  });

  test('finds nothing where all values are the same', () => {
    expect(mannWhitney([5, 5, 5, 5], [5, 5, 5])).toBe(1);
    expect(mannWhitney([1], [2])).toBe(1);
  });

  test('finds two samples that do not overlap, the surer the larger they are', () => {
    let before = 1;
    for (const n of [4, 8, 16, 32]) {
      const low = draw(n, () => 0).map((_, index) => index);
      const p = mannWhitney(
        low,
        low.map((value) => value + 1000),
      );
      expect(p).toBeLessThan(before / 5);
      before = p;
    }
    expect(before).toBeLessThan(1e-9);
  });

  test.each([
    [0.5, 1],
    [0.2, 2],
    [0.05, 3],
    [0.01, 4],
  ])('raises a false alarm at %d in no more than that share of cases', (level, seed) => {
    const cases = 3000;
    const share = shareOf(cases, seed, (random) => {
      const first = draw(20, () => exponential(random));
      const second = draw(25, () => exponential(random));
      return mannWhitney(first, second) <= level;
    });
    const error = Math.sqrt((level * (1 - level)) / cases);
    expect(share).toBeLessThanOrEqual(level + 3 * error);
    // Nor is it much more careful than it need be.
    expect(share).toBeGreaterThanOrEqual(0.85 * level - 3 * error);
  });
});
