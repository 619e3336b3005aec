import { describe, expect, test } from 'vitest';
import { minimumDetectableEffect, roundsNeeded } from '../../src/stats/detectable.js';
import { noncentralStudentTail } from '../../src/stats/noncentral-student.js';
import { normalTail } from '../../src/stats/normal.js';
import { pairedRatio } from '../../src/stats/ratio.js';
import { studentTail } from '../../src/stats/student.js';
import { shareOf } from '../support/simulate.js';

describe('minimumDetectableEffect', () => {
  // Cohen, "Statistical Power Analysis", and G*Power: one-sample t test, two-sided 0.05, power 0.8.
  test.each([
    [0.5, 34],
    [0.8, 15],
    [0.2, 199],
    [1, 10],
  ])('finds an effect of %d deviations with %d rounds', (effect, rounds) => {
    expect(roundsNeeded({ deviation: 1, effect: Math.expm1(effect) })).toBe(rounds);
    const least = (n: number): number => Math.log1p(minimumDetectableEffect({ deviation: 1, rounds: n }));
    expect(least(rounds)).toBeLessThanOrEqual(effect);
    expect(least(rounds - 1)).toBeGreaterThan(effect);
  });

  test.each([2, 3, 5, 10, 30])('is found by the paired test of %d rounds in 80 %% of cases', (rounds) => {
    const deviation = 0.02;
    const ratio = 1 + minimumDetectableEffect({ deviation, rounds });
    const found = shareOf(3000, rounds, (random) => {
      const first = new Map<number, number[]>();
      const second = new Map<number, number[]>();
      for (let round = 0; round < rounds; round++) {
        first.set(round, [30 * ratio * Math.exp(deviation * random.normal())]);
        second.set(round, [30]);
      }
      return pairedRatio(first, second)!.p <= 0.05;
    });
    expect(Math.abs(found - 0.8)).toBeLessThan(0.025);
  });

  test('is nothing without deviation, and infinite for a single round', () => {
    expect(minimumDetectableEffect({ deviation: 0, rounds: 5 })).toBe(0);
    expect(minimumDetectableEffect({ deviation: 0.1, rounds: 1 })).toBe(Infinity);
    expect(roundsNeeded({ deviation: 0, effect: 0.01 })).toBe(2);
  });

  test('falls with rounds, rises with deviation and power', () => {
    const base = minimumDetectableEffect({ deviation: 0.02, rounds: 5 });
    expect(minimumDetectableEffect({ deviation: 0.02, rounds: 6 })).toBeLessThan(base);
    expect(minimumDetectableEffect({ deviation: 0.03, rounds: 5 })).toBeGreaterThan(base);
    expect(minimumDetectableEffect({ deviation: 0.02, rounds: 5, power: 0.9 })).toBeGreaterThan(base);
    expect(minimumDetectableEffect({ deviation: 0.02, rounds: 5, alpha: 0.01 })).toBeGreaterThan(base);
  });

  test('of a wish that needs too many rounds says so', () => {
    expect(roundsNeeded({ deviation: 1, effect: 1e-6 })).toBe(Infinity);
  });
});

describe('noncentralStudentTail', () => {
  test.each([1, 2, 5, 40, 1000])(
    'with %d degrees of freedom has the values that are known in closed form',
    (degrees) => {
      for (const t of [-3, -0.5, 0, 1, 4])
        expect(noncentralStudentTail(t, degrees, 0)).toBeCloseTo(studentTail(t, degrees), 8);
      for (const shift of [-2, 0.5, 3])
        expect(noncentralStudentTail(0, degrees, shift)).toBeCloseTo(normalTail(-shift), 8);
      // T and −T with the shift turned round.
      expect(noncentralStudentTail(1.5, degrees, 2)).toBeCloseTo(
        1 - noncentralStudentTail(-1.5, degrees, -2),
        8,
      );
    },
  );
});
