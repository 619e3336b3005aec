import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/base/random.js';
import type { HistoryPoint } from '../../src/stats/change-points.js';
import { creep } from '../../src/stats/trend.js';
import { draw, shareOf } from '../support/simulate.js';

function history(count: number, level: (index: number) => number, random: Random): HistoryPoint[] {
  return draw(count, () => 0).map((_, index) => {
    const value = level(index) * Math.exp(0.01 * random.normal());
    return { value, error: 0.02 * value };
  });
}

describe('creep', () => {
  test('finds steps of 0.5 % each that add up', () => {
    const share = shareOf(200, 1, (random) => {
      const found = creep(
        history(25, (i) => 20 * 1.005 ** i, random),
        0.05,
      );
      return found !== undefined && Math.abs(found.change - (1.005 ** 24 - 1)) < 0.03;
    });
    expect(share).toBeGreaterThan(0.95);
  });

  test('does not find one sharp step, which is a regression of its own', () => {
    const share = shareOf(
      200,
      2,
      (random) =>
        creep(
          history(24, (i) => (i < 12 ? 20 : 24), random),
          0.05,
        ) !== undefined,
    );
    expect(share).toBeLessThan(0.05);
  });

  test('finds the creep beside a sharp step', () => {
    const share = shareOf(200, 3, (random) => {
      const found = creep(
        history(30, (i) => (i < 15 ? 20 : 10) * 1.004 ** i, random),
        0.05,
      );
      return found !== undefined && found.change > 0;
    });
    expect(share).toBeGreaterThan(0.8);
  });

  test.each([8, 20, 60])(
    'raises a false alarm over %d points of noise in no more than 5 %% of cases',
    (n) => {
      const share = shareOf(
        400,
        n,
        (random) =>
          creep(
            history(n, () => 20, random),
            0,
          ) !== undefined,
      );
      expect(share).toBeLessThanOrEqual(0.05 + 2 * Math.sqrt((0.05 * 0.95) / 400));
    },
  );

  test('of few points is undefined', () => {
    expect(
      creep(
        draw(7, () => 0).map((_, i) => ({ value: 10 + i, error: 0.01 })),
        0.01,
      ),
    ).toBeUndefined();
  });
});
