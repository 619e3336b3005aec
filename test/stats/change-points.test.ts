import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.js';
import { changePoints, type HistoryPoint } from '../../src/stats/change-points.js';
import { draw, shareOf } from '../support/simulate.js';

/** Measurements around levels, one for each point, with 1 % of noise. */
function history(levels: readonly number[], random: Random, noise = 0.01): HistoryPoint[] {
  return levels.map((level) => {
    const value = level * Math.exp(noise * random.normal());
    return { value, error: 2 * noise * value };
  });
}

const flat = (count: number, level = 20): number[] => draw(count, () => level);

/** Where the segments of the best of all cuts begin; every segment but the last has two points. */
function bestByTrial(series: readonly HistoryPoint[]): number[] {
  const n = series.length;
  const logs = series.map(({ value }) => Math.log(value));
  const inverse = series.map(({ value, error }) => value / error);
  const weights = inverse.map((each) => (each * n) / inverse.reduce((sum, other) => sum + other, 0));
  let best = { starts: [0], criterion: Infinity };
  for (let mask = 0; mask < 1 << (n - 1); mask++) {
    const starts = [0];
    for (let i = 1; i < n; i++) if ((mask >> (i - 1)) & 1) starts.push(i);
    if (starts.some((from, k) => k + 1 < starts.length && starts[k + 1]! - from < 2)) continue;
    let cost = 0;
    starts.forEach((from, k) => {
      const points = logs.slice(from, starts[k + 1]).map((y, j) => ({ y, w: weights[from + j]! }));
      // A weighted median is one of the points.
      cost += Math.min(
        ...points.map(({ y: level }) => points.reduce((sum, { y, w }) => sum + w * Math.abs(y - level), 0)),
      );
    });
    const criterion = ((4 * Math.log(n)) / n) * starts.length + Math.log(0.001 + cost);
    if (criterion < best.criterion - 1e-9) best = { starts, criterion };
  }
  return best.starts;
}

describe('changePoints', () => {
  test('of a history without noise are where it changed', () => {
    const levels = [...flat(6, 10), ...flat(5, 11), ...flat(9, 8)];
    const exact = levels.map((value) => ({ value, error: 0 }));
    expect(changePoints(exact).map(({ from, to, level }) => [from, to, Number(level.toFixed(9))])).toEqual([
      [0, 5, 10],
      [6, 10, 11],
      [11, 19, 8],
    ]);
  });

  test('covers the series in order, also a short one', () => {
    expect(changePoints([])).toEqual([]);
    expect(changePoints([{ value: 3, error: 0.1 }])).toMatchObject([{ from: 0, to: 0 }]);
    const random = seededRandom(1);
    for (let i = 0; i < 50; i++) {
      const n = 1 + random.integer(40);
      const segments = changePoints(
        history(
          draw(n, () => 10 + random.integer(3)),
          random,
        ),
      );
      expect(segments[0]!.from).toBe(0);
      expect(segments.at(-1)!.to).toBe(n - 1);
      for (let s = 1; s < segments.length; s++) expect(segments[s]!.from).toBe(segments[s - 1]!.to + 1);
    }
  });

  test('of a step of 5 % in noise of 1 % is found within a point', () => {
    const share = shareOf(200, 2, (random) => {
      const segments = changePoints(history([...flat(15), ...flat(15, 21)], random));
      return segments.length === 2 && Math.abs(segments[1]!.from - 15) <= 1;
    });
    expect(share).toBeGreaterThan(0.95);
  });

  test('a blip that returns is not a segment, two points that stay are', () => {
    const random = seededRandom(3);
    const blip = [...flat(10), 30, ...flat(10)];
    expect(changePoints(history(blip, random))).toHaveLength(1);
    const segments = changePoints(history([...flat(10), ...flat(10, 30)], random));
    expect(segments.map(({ from }) => from)).toEqual([0, 10]);
  });

  test.each([8, 20, 60])('of %d points of noise are none in all but few histories', (n) => {
    const share = shareOf(400, n, (random) => changePoints(history(flat(n), random)).length > 1);
    expect(share).toBeLessThan(0.05);
  });

  test('are those that trying every cut finds', () => {
    const random = seededRandom(7);
    for (let i = 0; i < 40; i++) {
      const n = 2 + random.integer(9);
      const series = history(
        draw(n, () => [10, 11, 14][random.integer(3)]!),
        random,
        0.02,
      );
      expect(changePoints(series).map(({ from }) => from)).toEqual(bestByTrial(series));
    }
  });

  test('does not care in which unit the history is', () => {
    const points = history([...flat(10), ...flat(10, 23)], seededRandom(4));
    const scaled = points.map(({ value, error }) => ({ value: 1000 * value, error: 1000 * error }));
    const [own, other] = [changePoints(points), changePoints(scaled)];
    expect(other.map(({ from }) => from)).toEqual(own.map(({ from }) => from));
    other.forEach(({ level }, index) => expect(level / own[index]!.level).toBeCloseTo(1000, 6));
  });

  test('refuses a value that has no logarithm', () => {
    expect(() => changePoints([{ value: 0, error: 1 }])).toThrow(RangeError);
  });
});
