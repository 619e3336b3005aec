import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { bootstrapGeometricMean, bootstrapRatio } from '../../src/stats/bootstrap.js';
import { draw } from '../support/simulate.js';

const seed = 1;

describe('bootstrapRatio', () => {
  const random = seededRandom(6);
  const first = draw(110, () => 20 * Math.exp(0.1 * random.normal()));
  const second = draw(120, () => 10 * Math.exp(0.1 * random.normal()));

  test.each(['median', 'mean'] as const)('of the %s is its own reciprocal, and scales', (statistic) => {
    const { value, low, high } = bootstrapRatio(first, second, statistic, { seed })!;
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    expect(value).toBeGreaterThan(1.8);
    expect(value).toBeLessThan(2.2);
    const tripled = bootstrapRatio(
      first.map((each) => 3 * each),
      second,
      statistic,
      { seed },
    )!;
    expect(tripled.value / value).toBeCloseTo(3, 9);
    expect(tripled.low / low).toBeCloseTo(3, 9);
    expect(tripled.high / high).toBeCloseTo(3, 9);
    const inverse = bootstrapRatio(second, first, statistic, { seed })!;
    expect(inverse.value).toBeCloseTo(1 / value, 9);
    expect(Math.abs(Math.log(inverse.low * high))).toBeLessThan(0.02);
  });

  test('is the same for the same seed, and close for another', () => {
    const own = bootstrapRatio(first, second, 'mean', { seed })!;
    expect(bootstrapRatio(first, second, 'mean', { seed })).toEqual(own);
    const other = bootstrapRatio(first, second, 'mean', { seed: 2 })!;
    expect(other.low).not.toBe(own.low);
    expect(Math.abs(other.low - own.low)).toBeLessThan(0.15 * (own.high - own.low));
  });

  test('of samples without spread is the ratio itself', () => {
    expect(bootstrapRatio([4, 4, 4, 4, 4], [2, 2, 2, 2, 2], 'median', { seed })).toEqual({
      value: 2,
      low: 2,
      high: 2,
    });
  });

  test('of too few samples is undefined', () => {
    expect(bootstrapRatio(first.slice(0, 4), second, 'median', { seed })).toBeUndefined();
    expect(bootstrapRatio(first, second.slice(0, 99), 'mean', { seed })).toBeUndefined();
    expect(bootstrapGeometricMean(first.slice(0, 49), { seed })).toBeUndefined();
  });
});

describe('bootstrapGeometricMean', () => {
  test('is close to the interval of the normal approximation for many rounds', () => {
    const random = seededRandom(9);
    const logs = draw(400, () => 0.3 + 0.1 * random.normal());
    const { value, low, high } = bootstrapGeometricMean(logs.map(Math.exp), { seed })!;
    const centre = logs.reduce((sum, each) => sum + each, 0) / logs.length;
    expect(Math.log(value)).toBeCloseTo(centre, 12);
    const half = (1.96 * 0.1) / 20;
    expect(Math.abs((Math.log(high) - centre) / half - 1)).toBeLessThan(0.12);
    expect(Math.abs((centre - Math.log(low)) / half - 1)).toBeLessThan(0.12);
  });
});
