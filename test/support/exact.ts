/** Number of ways to choose `k` of `n`. */
function choose(n: number, k: number): bigint {
  let ways = 1n;
  for (let i = 1; i <= k; i++) ways = (ways * BigInt(n - k + i)) / BigInt(i);
  return ways;
}

/** A rational number as the nearest float, but for a unit in the last place. */
function quotient(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  // As many bits as a double holds, and a few more, whatever the size of the quotient.
  const shift = denominator.toString(2).length - numerator.toString(2).length + 64;
  const scaled =
    shift >= 0 ? (numerator << BigInt(shift)) / denominator : numerator / (denominator << BigInt(-shift));
  return Number(scaled) * 2 ** -shift;
}

/**
 * P(lowest ≤ Bin(n, a / b) ≤ highest), summed without rounding.
 *
 * @param n - trials
 * @param lowest - first number of successes
 * @param highest - last number of successes
 * @param a - numerator of the probability
 * @param b - its denominator
 */
export function binomialSum(n: number, lowest: number, highest: number, a: number, b: number): number {
  let sum = 0n;
  let ways = choose(n, lowest);
  for (let k = lowest; k <= highest; k++) {
    sum += ways * BigInt(a) ** BigInt(k) * BigInt(b - a) ** BigInt(n - k);
    ways = (ways * BigInt(n - k)) / BigInt(k + 1);
  }
  return quotient(sum, BigInt(b) ** BigInt(n));
}
