import { chiSquareTail, valueAbove } from './chi-square.js';
import { incompleteBeta } from './incomplete-beta.js';

/**
 * P(X > x) of Fisher's F distribution, through the incomplete beta function (Abramowitz & Stegun, 26.6.2).
 *
 * @param x - any number
 * @param above - degrees of freedom of the numerator, above 0
 * @param below - of the denominator, above 0; Infinity is allowed
 */
export function fisherTail(x: number, above: number, below: number): number {
  if (x <= 0) return 1;
  if (below === Infinity) return chiSquareTail(above * x, above);
  return incompleteBeta(below / (below + above * x), below / 2, above / 2);
}

/**
 * The value that an F variable is above with a given probability.
 *
 * @param upper - the probability, 0 < upper < 1
 * @param above - degrees of freedom of the numerator, above 0
 * @param below - of the denominator, above 0; Infinity is allowed
 */
export function fisherUpper(upper: number, above: number, below: number): number {
  return valueAbove(upper, (x) => fisherTail(x, above, below));
}
