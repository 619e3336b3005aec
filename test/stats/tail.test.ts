import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { medianUnbiased, tailOverRounds } from '../../src/stats/tail.js';

describe('a median-unbiased quantile', () => {
  it('is too large about as often as too small, whatever the distribution', () => {
    const random = seededRandom(5);
    const worlds: [draw: () => number, p90: number][] = [
      [() => random.uniform(), 0.9],
      [() => -Math.log(random.uniform()), Math.log(10)],
      [() => random.uniform() ** 8, 0.9 ** 8],
    ];
    for (const [draw, p90] of worlds) {
      let large = 0;
      const repeats = 4000;
      for (let i = 0; i < repeats; i++)
        large += Number(medianUnbiased(Array.from({ length: 20 }, draw), 0.9) > p90);
      // Four standard errors are 0.032, and between two samples the rule is not exact. The nearest rank is too large in 32 %.
      expect(Math.abs(large / repeats - 0.5)).toBeLessThan(0.05);
    }
  });

  it('is the median at a half, and never beyond the samples', () => {
    expect(medianUnbiased([3, 1, 2], 0.5)).toBe(2);
    expect(medianUnbiased([4, 1, 2, 3], 0.5)).toBeCloseTo(2.5, 12);
    expect([medianUnbiased([7], 0.9), medianUnbiased([1, 2], 0.99), medianUnbiased([1, 2], 0.01)]).toEqual([
      7, 2, 1,
    ]);
  });
});

it('a tail over rounds needs a sample beyond it in a round, and no interval follows of one', () => {
  const round = Array.from({ length: 10 }, (_, index) => index + 1);
  expect(tailOverRounds([round.slice(1)], 0.9)).toBeUndefined();
  const { value, low, high } = tailOverRounds([round], 0.9)!;
  expect([low, high]).toEqual([value, value]);
  expect(value).toBeGreaterThan(9);
});
