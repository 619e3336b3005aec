import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { leastExpected, mostExpected } from '../../src/stats/rare-events.js';

/** P(X ≤ count) of a Poisson count. */
function poissonAtMost(count: number, mean: number): number {
  let [term, sum] = [Math.exp(-mean), 0];
  for (let k = 0; k <= count; k++) {
    sum += term;
    term *= mean / (k + 1);
  }
  return sum;
}

/** A Poisson count, as the number of exponential waits that fit into `mean`. */
function poisson(mean: number, uniform: () => number): number {
  let [count, waited] = [0, 0];
  for (;;) {
    waited -= Math.log(1 - uniform());
    if (waited > mean) return count;
    count += 1;
  }
}

describe('what the weights of rare events may come to', () => {
  it.each([0.6, 0.75, 0.95, 0.999])(
    'are the exact limits of a Poisson count where all weigh 1, at %d',
    (confidence) => {
      for (const count of [0, 1, 2, 7, 30]) {
        const weights = new Array<number>(count).fill(1);
        expect(poissonAtMost(count, mostExpected(weights, confidence))).toBeCloseTo(1 - confidence, 9);
        const least = leastExpected(weights, confidence);
        if (count === 0) expect(least).toBe(0);
        else expect(1 - poissonAtMost(count - 1, least)).toBeCloseTo(1 - confidence, 9);
      }
    },
  );

  it.each([
    [1.5, 0.75],
    [8, 0.75],
    [8, 0.95],
    [40, 0.95],
  ])('is beyond neither limit more often than is said: %d events, at %d', (mean, confidence) => {
    const random = seededRandom(Math.round(100 * mean + 1000 * confidence));
    const rounds = 4000;
    let [above, below] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      // Weights that are uniform between 0 and 1: one half each in the mean.
      const weights = Array.from({ length: poisson(mean, () => random.uniform()) }, () => random.uniform());
      if (mostExpected(weights, confidence) < mean / 2) above += 1;
      if (leastExpected(weights, confidence) > mean / 2) below += 1;
    }
    const deviation = Math.sqrt((confidence * (1 - confidence)) / rounds);
    expect(above / rounds).toBeLessThan(1 - confidence + 4 * deviation);
    expect(below / rounds).toBeLessThan(1 - confidence + 4 * deviation);
  });

  it('is more with each event, however light, and with more confidence', () => {
    const random = seededRandom(3);
    const weights: number[] = [];
    for (let before = mostExpected([], 0.75); weights.length < 50;) {
      weights.push(random.uniform());
      const now = mostExpected(weights, 0.75);
      expect(now).toBeGreaterThan(before);
      expect(mostExpected(weights, 0.9)).toBeGreaterThan(now);
      const sum = weights.reduce((all, weight) => all + weight, 0);
      expect(now).toBeGreaterThan(sum);
      expect(leastExpected(weights, 0.75)).toBeLessThan(sum);
      expect(leastExpected(weights, 0.9)).toBeLessThan(leastExpected(weights, 0.75));
      before = now;
    }
  });
});
