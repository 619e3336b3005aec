import { noncentralStudentTail } from './noncentral-student.js';
import { studentQuantile } from './student.js';

/** What a comparison over rounds is to find. */
interface Wish {
  /** Standard deviation of the logarithm of the ratio from round to round. */
  readonly deviation: number;
  /** Two-sided level of the test; 0.05 unless said otherwise. */
  readonly alpha?: number;
  /** Probability of finding an effect of that size; 0.8 unless said otherwise. */
  readonly power?: number;
}

/** More rounds than this nobody waits for. */
const MOST_ROUNDS = 1_000_000;

/**
 * The smallest effect that `pairedRatio` finds with the wished power: that of the two-sided Student test on the logarithms of
 * the rounds' ratios, from the noncentral t distribution (no approximation).
 *
 * @param wish - deviation, rounds, level and power
 * @returns ratio − 1: 0.02 for 2 % slower; Infinity with fewer than two rounds, which find nothing
 */
export function minimumDetectableEffect({
  deviation,
  rounds,
  alpha = 0.05,
  power = 0.8,
}: Wish & { readonly rounds: number }): number {
  if (rounds < 2) return Infinity;
  let low = 0;
  let high = 1;
  while (powerOf(high, rounds, alpha) < power) high *= 2;
  while (high - low > 1e-10 * high) {
    const middle = (low + high) / 2;
    if (powerOf(middle, rounds, alpha) < power) low = middle;
    else high = middle;
  }
  return Math.expm1((high * deviation) / Math.sqrt(rounds));
}

/**
 * How many rounds it takes to find an effect with the wished power.
 *
 * @param wish - deviation, effect (ratio − 1, above −1 and not 0), level and power
 * @returns at least 2; Infinity beyond a million
 */
export function roundsNeeded({
  deviation,
  effect,
  alpha = 0.05,
  power = 0.8,
}: Wish & { readonly effect: number }): number {
  const size = Math.abs(Math.log1p(effect)) / deviation;
  const enough = (rounds: number): boolean => powerOf(size * Math.sqrt(rounds), rounds, alpha) >= power;
  let high = 2;
  while (!enough(high)) {
    if (high >= MOST_ROUNDS) return Infinity;
    high *= 2;
  }
  let low = Math.max(1, high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The probability that the two-sided test rejects, on either side. */
function powerOf(shift: number, rounds: number, alpha: number): number {
  if (shift === Infinity) return 1;
  const degrees = rounds - 1;
  const critical = studentQuantile(1 - alpha / 2, degrees);
  return noncentralStudentTail(critical, degrees, shift) + noncentralStudentTail(critical, degrees, -shift);
}
