/**
 * P(Z > z) of the standard normal distribution, to 16 decimals, by its Taylor series (Marsaglia, "Evaluating the Normal
 * Distribution", Journal of Statistical Software 2004). simple-statistics looks it up in a table of four decimals.
 *
 * @param z - any number
 */
export function normalTail(z: number): number {
  // Beyond eight standard deviations less is left than a double can tell from 0 or 1.
  if (z > 8) return 0;
  if (z < -8) return 1;
  let sum = z;
  let term = z;
  for (let i = 3, before = 0; sum !== before; i += 2) {
    before = sum;
    term *= (z * z) / i;
    sum += term;
  }
  return Math.min(1, Math.max(0, 0.5 - sum * density(z)));
}

/**
 * Quantile of the standard normal distribution. simple-statistics has one that is right to two decimals only.
 *
 * @param p - probability, 0 < p < 1
 */
export function normalQuantile(p: number): number {
  let low = -8;
  let high = 8;
  while (high - low > 1e-15 * Math.max(1, Math.abs(low))) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (1 - normalTail(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}
