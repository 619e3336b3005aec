import { median } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.js';
import { driftOf } from '../../src/stats/drift.js';
import { mannKendall } from '../../src/stats/mann-kendall.js';
import { theilSen } from '../../src/stats/theil-sen.js';
import { draw, shareOf } from '../support/simulate.js';

/** Latencies around 10 ms whose neighbours are alike: the logarithms are an AR(1) process. */
function autocorrelated(count: number, correlation: number, random: Random): number[] {
  let state = random.normal() / Math.sqrt(1 - correlation ** 2);
  return draw(count, () => {
    state = correlation * state + random.normal();
    return 10 * Math.exp(0.02 * state);
  });
}

/** Pearson's correlation. */
function correlationOf(xs: readonly number[], ys: readonly number[]): number {
  const mean = (of: readonly number[]): number => of.reduce((sum, each) => sum + each, 0) / of.length;
  const product = (as: readonly number[], bs: readonly number[]): number =>
    as.reduce((sum, a, i) => sum + (a - mean(as)) * (bs[i]! - mean(bs)), 0);
  return product(xs, ys) / Math.sqrt(product(xs, xs) * product(ys, ys));
}

/** Covariance of the sums of two blocks of an AR(1) process with variance 1, so many blocks apart, pair by pair. */
function covarianceOf(correlation: number, length: number, apart: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++)
    for (let j = 0; j < length; j++) sum += correlation ** Math.abs(apart * length + j - i);
  return sum;
}

describe('driftOf', () => {
  test('of a straight line is that line', () => {
    const { share, p } = driftOf(draw(100, () => 0).map((_, index) => 10 + index / 100));
    expect(share).toBeCloseTo(0.99 / 10.495, 3);
    expect(p).toBeLessThan(1e-6);
  });

  test('finds 2 % over 200 samples that scatter by 1 %, up and down, and an outlier does not hide it', () => {
    const random = seededRandom(5);
    for (const sign of [1, -1]) {
      const samples = draw(200, () => 0).map(
        (_, i) => 30 * (1 + (sign * 0.02 * i) / 200) * Math.exp(0.01 * random.normal()),
      );
      samples[100] = 3000;
      const { share, p } = driftOf(samples);
      expect(Math.abs(share - sign * 0.02)).toBeLessThan(0.006);
      expect(p).toBeLessThan(0.001);
    }
  });

  test('does not tell with too few samples, nor where all are equal', () => {
    expect(driftOf([1, 2, 3, 4])).toMatchObject({ p: 1 });
    expect(driftOf([5])).toEqual({ share: 0, p: 1 });
    expect(driftOf(draw(100, () => 4))).toEqual({ share: 0, p: 1 });
  });

  test.each([0.2, 0.5, 0.8])(
    'widens the Mann–Kendall test by what lag-1 correlation %d, freed of its bias, leaves between blocks',
    (correlation) => {
      const [count, length] = [12, 4];
      const n = count * length;
      const samples = autocorrelated(n, correlation, seededRandom(3));
      const blocks = draw(count, () => 0).map((_, i) => median(samples.slice(i * length, (i + 1) * length)));
      const level = samples.map((sample, i) => sample - (theilSen(blocks) / length) * i);
      const ranks = level.map((own) => level.filter((other) => other < own).length);
      const found = correlationOf(ranks.slice(0, -1), ranks.slice(1));
      const freed = found + (1 + 3 * found) / n;
      expect(freed).toBeGreaterThan(0);
      expect(freed).toBeLessThan(0.99);
      let inflation = 1;
      // Hamed & Rao sum over all lags; the last two have no weight.
      for (let lag = 1; lag < count; lag++) {
        const weight = (count - lag) * (count - lag - 1) * (count - lag - 2);
        const between = covarianceOf(freed, length, lag) / covarianceOf(freed, length, 0);
        inflation += (2 * weight * between) / (count * (count - 1) * (count - 2));
      }
      expect(driftOf(samples).p).toBeCloseTo(mannKendall(blocks, inflation), 10);
    },
  );

  test.each([
    [0, 64],
    [0, 1000],
    [0.5, 64],
    [0.5, 1000],
  ])(
    'with correlation %d raises a false alarm of %d samples in no more than 5 %% of cases',
    (correlation, n) => {
      const cases = 2000;
      const share = shareOf(cases, n, (random) => driftOf(autocorrelated(n, correlation, random)).p <= 0.05);
      expect(share).toBeLessThanOrEqual(0.05 + 2 * Math.sqrt((0.05 * 0.95) / cases));
    },
  );

  test('of 10,000 samples takes no longer than a blink', () => {
    const samples = autocorrelated(10_000, 0.5, seededRandom(1));
    expect(driftOf(samples).p).toBeGreaterThan(0);
  });
});
