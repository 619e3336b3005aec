import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { pairedContrast, sharesContrast, unpairedContrast } from '../../src/stats/contrast.js';
import { pairedRatio, unpairedRatio } from '../../src/stats/ratio.js';
import { covers, shareOf } from '../support/simulate.js';

/** So many of something. */
function draw<Value>(count: number, one: () => Value): Value[] {
  return Array.from({ length: count }, one);
}

/** The interaction of two factors of two levels. */
const weights = [1, -1, -1, 1];
const truths = [0.3, 0.1, -0.4, 0.2];
const truth = 0.3 - 0.1 + 0.4 + 0.2;

/** What of 2,000 cases a share of 95 % may be off by: 2.6 standard errors, and what the method is allowed. */
const [LEAST, MOST] = [0.93, 0.97];

describe('a contrast of pairs', () => {
  it('of two things is the paired ratio on a logarithmic scale', () => {
    const random = seededRandom(1);
    const pairs = draw(7, () => [Math.exp(random.normal()), Math.exp(random.normal())] as const);
    const of = (index: 0 | 1): Map<number, number[]> =>
      new Map(pairs.map((pair, round) => [round, [pair[index]]]));
    const ratio = pairedRatio(of(0), of(1))!;
    const own = pairedContrast(
      [1, -1],
      pairs.map((pair) => pair.map(Math.log)),
    )!;
    expect(Math.exp(own.value)).toBeCloseTo(ratio.value, 10);
    expect(Math.exp(own.low)).toBeCloseTo(ratio.low, 10);
    expect(own.p).toBeCloseTo(ratio.p, 10);
  });

  it('covers the truth although blocks drift and things scatter differently', () => {
    const coverage = shareOf(2000, 5, (random) => {
      const blocks = draw(5, () => {
        const drift = 3 * random.normal();
        return truths.map((mean, at) => mean + drift + 0.1 * (at + 1) * random.normal());
      });
      return covers(pairedContrast(weights, blocks)!, truth);
    });
    expect(coverage).toBeGreaterThan(LEAST);
    expect(coverage).toBeLessThan(MOST);
  });

  it('alarms in one of twenty cases where there is nothing', () => {
    const alarms = shareOf(2000, 6, (random) => {
      const blocks = draw(5, () => draw(4, () => random.normal()));
      return pairedContrast(weights, blocks)!.p <= 0.05;
    });
    expect(alarms).toBeGreaterThan(0.035);
    expect(alarms).toBeLessThan(0.065);
  });

  it('knows figures without noise, whatever rounding leaves of them', () => {
    const block = [0.1, 0.2, 0.3, 0.7];
    const none = pairedContrast([1, 1, -1, 0], [block, block])!;
    expect(none.p).toBe(1);
    const some = pairedContrast(weights, [block, block, block])!;
    expect(some).toMatchObject({ low: some.value, high: some.value, p: 0 });
    expect(pairedContrast(weights, [block])).toBeUndefined();
  });
});

describe('a contrast of things that were measured apart', () => {
  it('of two things is the unpaired ratio on a logarithmic scale', () => {
    const random = seededRandom(2);
    const samples = [draw(5, () => random.normal()), draw(9, () => 2 * random.normal())];
    const [first, second] = samples.map((values) => values.map((value) => [Math.exp(value)]));
    const ratio = unpairedRatio(first!, second!)!;
    const own = unpairedContrast([1, -1], samples)!;
    expect(Math.exp(own.low)).toBeCloseTo(ratio.low, 9);
    expect(own.p).toBeCloseTo(ratio.p, 9);
  });

  it('covers the truth', () => {
    const coverage = shareOf(2000, 7, (random) => {
      const samples = truths.map((mean, at) =>
        draw(4 + at, () => mean + 0.2 * (1 + (at % 2)) * random.normal()),
      );
      return covers(unpairedContrast(weights, samples)!, truth);
    });
    expect(coverage).toBeGreaterThan(LEAST);
    expect(coverage).toBeLessThan(0.975);
  });

  it('needs two samples of what has a weight, and of nothing else', () => {
    expect(unpairedContrast([1, -1], [[1, 2], [3]])).toBeUndefined();
    expect(unpairedContrast([1, -1, 0], [[1, 2], [3, 4], [5]])?.value).toBeCloseTo(-2, 12);
  });
});

describe('a contrast of shares', () => {
  /** Classifiers that are right more often where all find it easy. */
  const answers = (random: ReturnType<typeof seededRandom>, images: number): number[][] => {
    const right = truths.map(() => new Array<number>(images).fill(0));
    for (let image = 0; image < images; image++) {
      const easy = random.uniform();
      for (let at = 0; at < right.length; at++)
        right[at]![image] = Number(easy < SHARES[at]! + (random.uniform() < 0.05 ? 0.3 : 0));
    }
    return right;
  };
  const SHARES = [0.9, 0.88, 0.85, 0.86];
  const expected = SHARES.map((share) => share + 0.05 * (Math.min(1, share + 0.3) - share));

  it('covers the truth with few images that disagree', () => {
    const mean = weights.reduce((sum, weight, at) => sum + weight * expected[at]!, 0);
    const coverage = shareOf(1000, 8, (random) =>
      covers(sharesContrast(weights, answers(random, 200)), mean),
    );
    expect(coverage).toBeGreaterThan(LEAST);
    expect(coverage).toBeLessThanOrEqual(0.985);
  });

  it('is exact in its value, and no interval of no disagreement is without length', () => {
    const right = [
      [1, 1, 0, 1],
      [1, 0, 0, 1],
    ];
    expect(sharesContrast([1, -1], right).value).toBe(0.25);
    const same = sharesContrast([1, -1], [right[0]!, right[0]!]);
    expect(same).toMatchObject({ value: 0, p: 1 });
    expect(same.low).toBeLessThan(0);
    expect(same.high).toBeCloseTo(-same.low, 12);
  });

  it('of a difference of two is the interval of Agresti and Min', () => {
    // 100 images: 12 that only the first gets right, 5 that only the second does.
    const [first, second] = [new Array<number>(100).fill(1), new Array<number>(100).fill(1)];
    for (let i = 0; i < 12; i++) second[i] = 0;
    for (let i = 12; i < 17; i++) first[i] = 0;
    const { low, high } = sharesContrast([1, -1], [first, second]);
    const [n, b, c] = [102, 12.5, 5.5];
    const error = Math.sqrt(b + c - (b - c) ** 2 / n) / n;
    expect(low).toBeCloseTo((b - c) / n - 1.959964 * error, 6);
    expect(high).toBeCloseTo((b - c) / n + 1.959964 * error, 6);
  });
});
