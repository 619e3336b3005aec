import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { meanEstimate, pairedMeanDifference } from '../../src/stats/mean.js';

describe('a mean', () => {
  it("has the textbook's interval", () => {
    // t of nine degrees of freedom is 2.262157; the deviation of 1 … 10 is 3.027650.
    const { value, low, high } = meanEstimate([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(value).toBe(5.5);
    expect(high - value).toBeCloseTo((2.262157 * 3.02765) / Math.sqrt(10), 5);
    expect(value - low).toBeCloseTo(high - value, 12);
  });

  it('lies within its interval 95 times in 100', () => {
    const random = seededRandom(11);
    let covered = 0;
    for (let trial = 0; trial < 2000; trial++) {
      const { low, high } = meanEstimate(Array.from({ length: 12 }, () => 3 + random.normal()));
      covered += Number(low <= 3 && 3 <= high);
    }
    expect(Math.abs(covered / 2000 - 0.95)).toBeLessThan(0.02);
  });

  it('says nothing of its error where there is one value, and has none where all are equal', () => {
    expect(meanEstimate([2])).toEqual({ value: 2, low: -Infinity, high: Infinity });
    expect(meanEstimate([0.5, 0.5, 0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });
});

describe('the difference of means of the same subjects', () => {
  it("is that of Student's ten sleepers (Biometrika 1908): t 4.0621, p 0.002833", () => {
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const { change, p } = pairedMeanDifference(first, second);
    expect(change.value).toBeCloseTo(1.58, 12);
    expect(change.low).toBeCloseTo(0.7001142, 6);
    expect(change.high).toBeCloseTo(2.4598858, 6);
    expect(p).toBeCloseTo(0.002832890197, 10);
  });

  it('leaves nothing to chance where all moved alike, and takes pairs alone', () => {
    expect(pairedMeanDifference([1, 2], [1, 2])).toMatchObject({ change: { value: 0 }, p: 1 });
    expect(pairedMeanDifference([1, 2], [2, 3])).toMatchObject({ change: { value: 1 }, p: 0 });
    expect(() => pairedMeanDifference([1, 2], [1])).toThrow(RangeError);
  });
});
