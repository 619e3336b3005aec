import { gammaln } from 'simple-statistics';

/** So close two terms of a series are that nothing changes any more. */
const CLOSE = 1e-16;

const MOST_TERMS = 10_000;

/**
 * P(X > x) of the χ² distribution: the regularised incomplete gamma function Q(k/2, x/2), by its series below the mean and by its continued
 * fraction above (Abramowitz & Stegun, 26.4.6 and 26.4.10).
 *
 * @param x - any number
 * @param degrees - degrees of freedom, above 0; need not be whole
 */
export function chiSquareTail(x: number, degrees: number): number {
  if (x <= 0) return 1;
  const [a, half] = [degrees / 2, x / 2];
  const front = Math.exp(a * Math.log(half) - half - gammaln(a));
  if (half < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MOST_TERMS && term > CLOSE * sum; n++) {
      term *= half / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - front * sum);
  }
  // Lentz's method.
  const tiny = 1e-300;
  let b = half + 1 - a;
  let c = 1 / tiny;
  let d = 1 / (b || tiny);
  let fraction = d;
  for (let n = 1; n < MOST_TERMS; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b || tiny);
    c = b + numerator / c || tiny;
    const step = c * d;
    fraction *= step;
    if (Math.abs(step - 1) < CLOSE) break;
  }
  return front * fraction;
}

/**
 * The value that a χ² variable is above with a given probability.
 *
 * @param upper - the probability, 0 < upper < 1
 * @param degrees - degrees of freedom, above 0
 */
export function chiSquareUpper(upper: number, degrees: number): number {
  return valueAbove(upper, (x) => chiSquareTail(x, degrees));
}

/**
 * Where a falling tail of a positive variable has a given value, by bisection on the logarithm.
 *
 * @param upper - the probability that the variable is above the value, 0 < upper < 1
 * @param tail - P(X > x)
 */
export function valueAbove(upper: number, tail: (x: number) => number): number {
  let [low, high] = [1, 1];
  while (tail(low) < upper && low > Number.MIN_VALUE) low /= 4;
  while (tail(high) > upper && high < Number.MAX_VALUE) high *= 4;
  for (let step = 0; step < 200 && high - low > 1e-13 * high; step++) {
    const middle = Math.sqrt(low * high);
    if (tail(middle) > upper) low = middle;
    else high = middle;
  }
  return Math.sqrt(low * high);
}
