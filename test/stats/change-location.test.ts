import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { changeLocation, likelyRange } from '../../src/stats/change-location.js';

/** The likelihood of a series that changes at a place, with both means integrated out on a grid. */
function integrated(values: readonly number[], variances: readonly number[], at: number): number {
  const of = (from: number, to: number): number => {
    let sum = 0;
    for (let mean = -20; mean <= 20; mean += 0.005) {
      let log = 0;
      for (let i = from; i < to; i++) log -= (values[i]! - mean) ** 2 / variances[i]! / 2;
      sum += Math.exp(log);
    }
    return sum;
  };
  return of(0, at) * of(at, values.length);
}

describe('where a mean changed', () => {
  it('is as likely as the integral over both means says', () => {
    const values = [1, 1.4, 0.7, 2.1, 2.6, 1.9];
    const variances = [0.2, 0.3, 0.2, 0.5, 0.2, 0.2];
    const found = changeLocation(values, variances);
    const expected = values.map((_, at) => (at === 0 ? 0 : integrated(values, variances, at)));
    const sum = expected.reduce((all, each) => all + each, 0);
    for (const [at, probability] of found.entries()) expect(probability).toBeCloseTo(expected[at]! / sum, 6);
  });

  it('does not depend on where the series lies, and is certain of a large step', () => {
    const values = [1, 1.1, 0.9, 4, 4.1, 3.9];
    const variances = values.map(() => 0.01);
    const [found, far] = [values, values.map((value) => value + 1e6)].map((each) =>
      changeLocation(each, variances),
    );
    expect(found![3]).toBeCloseTo(1, 12);
    for (const [at, probability] of found!.entries()) expect(far![at]).toBeCloseTo(probability, 6);
    expect(() => changeLocation([1], [1])).toThrow(RangeError);
  });

  it('is where it is in as many series as its probability says', () => {
    const random = seededRandom(11);
    const runs = 2000;
    let [inside, expected] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const count = 6 + random.integer(10);
      const truth = 1 + random.integer(count - 1);
      const values = Array.from({ length: count }, (_, at) => random.normal() + (at >= truth ? 2.5 : 0));
      const probabilities = changeLocation(
        values,
        values.map(() => 1),
      );
      const centre = probabilities.indexOf(Math.max(...probabilities));
      const range = likelyRange(probabilities, centre, 0.8);
      inside += Number(truth >= range.from && truth <= range.to);
      expected += range.probability;
      expect(range.probability).toBeGreaterThanOrEqual(0.8 - 1e-9);
    }
    expect(Math.abs(inside - expected) / runs).toBeLessThan(0.03);
  });
});
