import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { firstBad, likeliest, nextToTest, type BisectionTest } from '../../src/stats/bisection.js';
import { normalTail } from '../../src/stats/normal.js';

const all = (): boolean => true;

describe('the first bad place', () => {
  it('is as likely as Bayes says, of a coin that is right in four of five tosses', () => {
    // Place 1 of 4 found bad, then good, then place 0 good: 0.8·0.2·0.2, 0.8·0.2·0.8, 0.2·0.8·0.8 twice.
    const found = firstBad(4, [
      { index: 1, bad: 0.8 },
      { index: 1, bad: 0.2 },
      { index: 0, bad: 0.2 },
    ]);
    const expected = [0.032, 0.128, 0.128, 0.128].map((each) => each / 0.416);
    for (const [place, probability] of found.entries()) expect(probability).toBeCloseTo(expected[place]!, 12);
  });

  it('is anywhere before a test, and never certain after one', () => {
    expect(firstBad(5, [])).toEqual(new Array(5).fill(0.2));
    const sure = firstBad(2, [{ index: 0, bad: 1 }]);
    expect(sure[0]).toBeCloseTo(0.99, 12);
    expect(firstBad(1, [])).toEqual([1]);
  });

  it('is found with the error that is asked for, by tests that are wrong in one of six cases, in few of them', () => {
    const random = seededRandom(5);
    const runs = 400;
    let [right, needed] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const count = 2 + random.integer(60);
      const truth = random.integer(count);
      const tests: BisectionTest[] = [];
      let probabilities = firstBad(count, tests);
      while (likeliest(probabilities, all).probability < 0.95) {
        const index = nextToTest(probabilities, all)!;
        // A good place measures 0 and a bad one 2 standard errors: what lies above 1 is bad.
        const seen = random.normal() + (index >= truth ? 2 : 0);
        tests.push({ index, bad: 1 - normalTail(seen - 1) });
        probabilities = firstBad(count, tests);
      }
      right += Number(likeliest(probabilities, all).from === truth);
      needed += tests.length;
    }
    expect(right / runs).toBeGreaterThan(0.93);
    expect(needed / runs).toBeLessThan(20);
  });

  it('is asked for in the middle, of what can be tested', () => {
    const even = firstBad(9, []);
    expect([3, 4]).toContain(nextToTest(even, all));
    expect(nextToTest(even, (index) => index !== 3)).toBe(4);
    expect(nextToTest(even, (index) => index === 8)).toBeUndefined();
    expect(nextToTest([1], all)).toBeUndefined();
  });

  it('is one of a range where those in between cannot be tested', () => {
    const isTestable = (index: number): boolean => index !== 1 && index !== 2;
    const found = firstBad(5, [
      { index: 0, bad: 0 },
      { index: 3, bad: 1 },
    ]);
    const range = likeliest(found, isTestable);
    expect([range.from, range.to]).toEqual([1, 3]);
    expect(range.probability).toBeCloseTo(found[1]! + found[2]! + found[3]!, 12);
    expect(likeliest(found, all).to - likeliest(found, all).from).toBe(0);
  });
});
