import type { Design } from '../../base/design.js';
import { fullFactorial, type Combination } from './combinations.js';

/** How the factors of a fractional design follow from others. */
export type Fraction = NonNullable<Design['fraction']>;

/** Factors of a fractional design at most: there are too many fractions of more to look through. */
export const MOST_FRACTIONAL = 10;

/**
 * The smallest regular fraction of a factorial of two levels with a resolution (Box & Hunter, Technometrics 1961): generators are
 * tried until no product of them, as sets of factors with symmetric difference, is shorter than the resolution.
 *
 * @param factors - how many, at most `MOST_FRACTIONAL`
 * @param resolution - at least
 * @returns undefined where only the full factorial has it
 */
export function smallestFraction(factors: number, resolution: number): Fraction | undefined {
  for (let basic = 2; basic < factors; basic++) {
    // Each factor needs a column of its own beside the mean.
    if (2 ** basic <= factors) continue;
    const candidates = Array.from({ length: 2 ** basic }, (_, mask) => mask).filter(
      (mask) => bits(mask).length >= resolution - 1,
    );
    const words = search(factors, basic, candidates, resolution, [0]);
    if (words === undefined) continue;
    return {
      resolution: Math.min(...group(words).slice(1).map(length)),
      generators: words.map((word, index) => ({
        factor: basic + index,
        of: bits(word).filter((factor) => factor < basic),
      })),
    };
  }
  return undefined;
}

/**
 * The combinations of a fraction; the one with all factors at their second level is among them.
 *
 * @param factors - how many
 * @param fraction - how the last ones follow from the others
 */
export function combinationsOf(factors: number, { generators }: Fraction): Combination[] {
  return fullFactorial(Array.from({ length: factors - generators.length }, () => 2)).map((basic) => [
    ...basic,
    ...generators.map(({ of }) => (of.filter((factor) => basic[factor] === 0).length + 1) % 2),
  ]);
}

/**
 * Generators, one for each factor that is not basic, whose products are all long enough.
 *
 * @param found - all products of those that were chosen, the empty one first
 */
function search(
  factors: number,
  basic: number,
  candidates: readonly number[],
  resolution: number,
  found: readonly number[],
): number[] | undefined {
  const chosen = Math.log2(found.length);
  if (basic + chosen === factors) return [];
  for (const [index, candidate] of candidates.entries()) {
    const word = candidate | (1 << (basic + chosen));
    const products = found.map((product) => product ^ word);
    if (products.some((product) => length(product) < resolution)) continue;
    const later = candidates.slice(index + 1);
    const rest = search(factors, basic, later, resolution, [...found, ...products]);
    if (rest !== undefined) return [word, ...rest];
  }
  return undefined;
}

/** All products of some words, the empty one first. */
function group(words: readonly number[]): number[] {
  return words.reduce<number[]>((known, word) => [...known, ...known.map((each) => each ^ word)], [0]);
}

function bits(mask: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (mask >>> bit) & 1);
}

function length(word: number): number {
  return bits(word).length;
}
