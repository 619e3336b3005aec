import { describe, expect, it } from 'vitest';
import { fullFactorial } from '../../src/suite/matrix/combinations.js';
import { combinationsOf, smallestFraction } from '../../src/suite/matrix/fraction.js';

/** Levels as −1 and 1. */
const signs = (combination: readonly number[]): number[] => combination.map((level) => 2 * level - 1);

/** The shortest set of factors whose product is the same in all combinations: the resolution, without any algebra of words. */
function shortestWord(combinations: readonly (readonly number[])[]): number {
  const rows = combinations.map(signs);
  const factors = rows[0]!.length;
  const lengths = fullFactorial(Array.from({ length: factors }, () => 2)).flatMap((chosen) => {
    const product = (row: readonly number[]): number =>
      row.reduce((all, sign, factor) => (chosen[factor] === 1 ? all * sign : all), 1);
    const length = chosen.reduce((sum, each) => sum + each, 0);
    return length > 0 && rows.every((row) => product(row) === product(rows[0]!)) ? [length] : [];
  });
  return Math.min(Infinity, ...lengths);
}

describe('a fraction', () => {
  // Sizes: Montgomery, "Design and Analysis of Experiments", table of two-level fractional factorials.
  it.each([
    [3, 3, 4],
    [4, 4, 8],
    [5, 3, 8],
    [5, 5, 16],
    [6, 4, 16],
    [7, 3, 8],
    [7, 4, 16],
    [8, 4, 16],
    [8, 5, 64],
    [9, 4, 32],
  ])('of %i factors with resolution %i has %i combinations', (factors, resolution, size) => {
    const fraction = smallestFraction(factors, resolution)!;
    const combinations = combinationsOf(factors, fraction);
    expect(combinations).toHaveLength(size);
    expect(new Set(combinations.map(String)).size).toBe(size);
    expect(shortestWord(combinations)).toBe(fraction.resolution);
    expect(fraction.resolution).toBeGreaterThanOrEqual(resolution);
    // Each factor is on in half of them, and with all factors on there is one.
    for (let factor = 0; factor < factors; factor++)
      expect(combinations.filter((each) => each[factor] === 1)).toHaveLength(size / 2);
    expect(combinations).toContainEqual(Array.from({ length: factors }, () => 1));
  });

  it.each([
    [2, 3],
    [3, 4],
    [4, 5],
  ])('of %i factors with resolution %i is the whole', (factors, resolution) => {
    expect(smallestFraction(factors, resolution)).toBeUndefined();
  });
});
