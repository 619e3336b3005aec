import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { chancesOf, nextToTry } from '../../src/compress/halving.js';

/** Looks for the first of some candidates that does not pass, and says which were tried. */
function search(chances: readonly number[], passing: number): { readonly found: number; tried: number[] } {
  let [low, high] = [0, chances.length];
  const tried: number[] = [];
  while (low < high) {
    const next = nextToTry(low, high, chances);
    expect(next).toBeGreaterThanOrEqual(low);
    expect(next).toBeLessThan(high);
    tried.push(next);
    if (next < passing) low = next + 1;
    else high = next;
  }
  return { found: low, tried };
}

const counts = [1, 2, 3, 7, 18, 46, 100];

describe('candidates of which nothing is known', () => {
  it.each(counts)('are halved: %d of them', (count) => {
    const chances = chancesOf(Array<undefined>(count).fill(undefined), 0.005);
    for (let low = 0; low < count; low++)
      for (let high = low + 1; high <= count; high++)
        expect(nextToTry(low, high, chances)).toBe(Math.floor((low + high) / 2));
  });
});

describe('candidates that are expected to change ever more images', () => {
  const random = seededRandom(3);
  const expected = (count: number): number[] =>
    Array.from({ length: count }, () => 0.015 * random.uniform()).sort((a, b) => a - b);

  it.each(counts)('end where they cease to pass, wherever that is: %d of them', (count) => {
    const chances = chancesOf(expected(count), 0.005);
    for (let passing = 0; passing <= count; passing++) {
      const { found, tried } = search(chances, passing);
      expect(found).toBe(passing);
      // A tenth is no guess: at worst it is as if there were ten times as many.
      expect(tried.length).toBeLessThanOrEqual(Math.ceil(Math.log2(10 * (count + 1))) + 1);
    }
  });

  it('take fewer trials where they cease to pass as expected', () => {
    const shares = Array.from({ length: 63 }, (_, index) => (0.025 * (index + 1)) / 63);
    const chances = chancesOf(shares, 0.005);
    const halved = chancesOf(Array<undefined>(63).fill(undefined), 0.005);
    const likely = [...shares.keys()].filter((index) => shares[index]! > 0.003 && shares[index]! < 0.006);
    expect(likely.length).toBeGreaterThan(4);
    const mean = (of: readonly number[]): number =>
      likely.reduce((sum, passing) => sum + search(of, passing).tried.length, 0) / likely.length;
    expect(mean(chances)).toBeLessThan(mean(halved) - 1.5);
  });

  it('pass the less likely the more they are expected to change', () => {
    const chances = chancesOf(expected(40), 0.005);
    for (let index = 1; index < chances.length; index++)
      expect(chances[index]).toBeLessThan(chances[index - 1]!);
  });
});
