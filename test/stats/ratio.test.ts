import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.js';
import { pairedRatio, unpairedRatio } from '../../src/stats/ratio.js';
import { covers, draw, shareOf } from '../support/simulate.js';

type Rounds = Map<number, number[]>;

/** One sample in each round. */
function rounds(...medians: number[]): Rounds {
  return new Map(medians.map((value, round) => [round, [value]]));
}

function scaled(from: Rounds, factor: (round: number) => number): Rounds {
  return new Map([...from].map(([round, samples]) => [round, samples.map((each) => each * factor(round))]));
}

/** Latencies of some rounds: each process has a speed of its own, and each sample some noise. */
function processes(count: number, latency: (round: number) => number, random: Random): Rounds {
  return new Map(
    Array.from({ length: count }, (_, round) => {
      const own = latency(round) * Math.exp(0.04 * random.normal());
      return [round, draw(15, () => own * Math.exp(0.02 * random.normal()))] as const;
    }),
  );
}

describe('pairedRatio', () => {
  test('is exact where every round has the same ratio', () => {
    const estimate = pairedRatio(rounds(3, 30, 0.3), rounds(2, 20, 0.2))!;
    expect(estimate.value).toBeCloseTo(1.5, 12);
    expect(estimate.low).toBeCloseTo(1.5, 12);
    expect(estimate.high).toBeCloseTo(1.5, 12);
  });

  test('of two rounds is their geometric mean with the interval of one degree of freedom', () => {
    const { value, low, high } = pairedRatio(rounds(1, 4), rounds(1, 1))!;
    expect(value).toBeCloseTo(2, 12);
    // The logarithms 0 and ln 4 have the standard error ln 4 / 2.
    const half = (12.706204736 * Math.log(4)) / 2;
    expect(Math.log(high) - Math.log(2)).toBeCloseTo(half, 8);
    expect(Math.log(2) - Math.log(low)).toBeCloseTo(half, 8);
  });

  test('of another confidence has that quantile', () => {
    const { value, high } = pairedRatio(rounds(1, 2, 4), rounds(1, 1, 1), 0.99)!;
    expect(value).toBeCloseTo(2, 12);
    // ln 1, ln 2, ln 4: standard deviation ln 2.
    expect(Math.log(high / 2)).toBeCloseTo((9.92484320092 * Math.LN2) / Math.sqrt(3), 8);
  });

  test('takes the median of each round', () => {
    const numerator = new Map([
      [0, [2, 1000, 2]],
      [1, [1, 3]],
    ]);
    expect(pairedRatio(numerator, rounds(1, 1))!.value).toBeCloseTo(2, 12);
  });

  test('is the reciprocal of the inverse ratio', () => {
    const [a, b] = [rounds(1, 2.5, 3, 2), rounds(1.1, 2, 2, 3)];
    const [own, inverse] = [pairedRatio(a, b)!, pairedRatio(b, a)!];
    expect(own.value).toBeCloseTo(1 / inverse.value, 12);
    expect(own.low).toBeCloseTo(1 / inverse.high, 12);
    expect(own.high).toBeCloseTo(1 / inverse.low, 12);
  });

  test('does not change when a whole round is slower, and scales with the numerator', () => {
    const random = seededRandom(3);
    const a = processes(4, () => 30, random);
    const b = processes(4, () => 20, random);
    const estimate = pairedRatio(a, b)!;
    const slower = (round: number): number => [1, 7, 0.01, 3][round]!;
    const shifted = pairedRatio(scaled(a, slower), scaled(b, slower))!;
    const tripled = pairedRatio(
      scaled(a, () => 3),
      b,
    )!;
    for (const key of ['value', 'low', 'high'] as const) {
      expect(shifted[key]).toBeCloseTo(estimate[key], 10);
      expect(tripled[key]).toBeCloseTo(3 * estimate[key], 10);
    }
  });

  test('is undefined with fewer than two rounds in common', () => {
    expect(pairedRatio(rounds(1), rounds(2))).toBeUndefined();
    expect(pairedRatio(new Map(), new Map())).toBeUndefined();
    const others: Rounds = new Map([
      [1, [1]],
      [2, [1]],
      [3, [1]],
    ]);
    expect(pairedRatio(rounds(1, 1), others)).toBeUndefined();
  });

  test('leaves out rounds that only one has, or that are empty', () => {
    const numerator: Rounds = new Map([
      [0, [2]],
      [1, [999]],
      [2, [8]],
      [3, []],
    ]);
    const denominator: Rounds = new Map([
      [2, [4]],
      [0, [1]],
      [3, [1]],
      [4, [5]],
    ]);
    expect(pairedRatio(numerator, denominator)!.value).toBeCloseTo(2, 12);
    numerator.delete(2);
    expect(pairedRatio(numerator, denominator)).toBeUndefined();
  });

  test.each([3, 5])('covers the true ratio in 93 to 97 %% of 2,000 cases of %d rounds', (count) => {
    const share = shareOf(2000, count, (random) => {
      // Rounds differ far more from each other than the two that are compared.
      const speed = draw(count, () => Math.exp(0.3 * random.normal()));
      const first = processes(count, (round) => 26 * speed[round]!, random);
      const second = processes(count, (round) => 20 * speed[round]!, random);
      return covers(pairedRatio(first, second)!, 1.3);
    });
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(0.97);
  });
});

describe('the p-value of pairedRatio', () => {
  test('is the level at which the interval touches 1', () => {
    const [a, b] = [rounds(1.1, 1.3, 1.25, 1.4), rounds(1, 1.2, 1.3, 1.1)];
    const { p } = pairedRatio(a, b)!;
    const { low, value } = pairedRatio(a, b, 1 - p)!;
    expect(value).toBeGreaterThan(1);
    expect(low).toBeCloseTo(1, 9);
  });

  test('of the sleep data of Student is the published one', () => {
    // Student, "The Probable Error of a Mean", 1908: t = −4.0621 with 9 degrees of freedom, p = 0.002833 (R, sleep).
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const exp = (values: number[]): Rounds => rounds(...values.map((value) => Math.exp(value)));
    const estimate = pairedRatio(exp(first), exp(second))!;
    expect(estimate.p.toPrecision(4)).toBe('0.002833');
    expect(Math.log(estimate.low).toFixed(4)).toBe('-2.4599');
    expect(Math.log(estimate.high).toFixed(4)).toBe('-0.7001');
    expect(estimate.rounds).toBe(10);
  });

  test('without variance is 1 where nothing differs and 0 where something does', () => {
    expect(pairedRatio(rounds(3, 5), rounds(3, 5))).toEqual({ value: 1, low: 1, high: 1, p: 1, rounds: 2 });
    expect(pairedRatio(rounds(4, 4), rounds(2, 2))!.p).toBe(0);
  });
});

describe('unpairedRatio', () => {
  const single = (...values: number[]): number[][] => values.map((value) => [Math.exp(value)]);

  test('of the sleep data, unpaired, is that of Welch', () => {
    // R, t.test(extra ~ group, data = sleep): t = −1.8608, df = 17.776, p = 0.07939, interval −3.3655 … 0.2055.
    const first = single(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2);
    const second = single(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4);
    const { p, low, high } = unpairedRatio(first, second)!;
    expect(p.toPrecision(4)).toBe('0.07939');
    expect(Math.log(low).toFixed(4)).toBe('-3.3655');
    expect(Math.log(high).toFixed(4)).toBe('0.2055');
  });

  test('takes the medians of rounds, leaves empty ones out, and needs two of each', () => {
    const { value, rounds: count } = unpairedRatio([[2, 900, 2], [2, 2.1], []], [[1], [1], [1]])!;
    expect(value).toBeCloseTo(Math.sqrt(2 * 2.05), 10);
    expect(count).toBe(2);
    expect(unpairedRatio([[1], []], [[1], [2]])).toBeUndefined();
  });

  test('without variance differs or does not', () => {
    expect(unpairedRatio([[2], [2]], [[2], [2]])!.p).toBe(1);
    expect(unpairedRatio([[4], [4]], [[2], [2]])).toEqual({ value: 2, low: 2, high: 2, p: 0, rounds: 2 });
  });

  test('with the variance in one run alone has its degrees of freedom', () => {
    const { high, value } = unpairedRatio(single(0, 1, 2), single(0, 0, 0, 0))!;
    expect(Math.log(high / value)).toBeCloseTo(4.30265273 / Math.sqrt(3), 6);
  });
});
