/** Weight of what is expected. Where that is wrong, halving what is left still finds the end, in about three more trials: log₂(1 / (1 − 0.9)). */
const TRUSTED = 0.9;

/** Every second candidate passes that is expected to change this many times the images that may be lost: see `expectedChanges`. */
const TYPICAL = 0.9;

/** Chances that differ by less are alike. */
const ROUNDING = 1e-9;

/** How quickly candidates cease to pass: of those that are expected to change twice as many images, one in seventeen passes. */
const STEEPNESS = 4;

/**
 * How likely candidates are to pass, before any is tried.
 *
 * @param expected - of each, the gentlest first: the share of the images that is expected to change class; undefined where nobody can say
 * @param allowed - share of the images that may be lost
 * @returns between 1 and 0, each less than the one before
 */
export function chancesOf(expected: readonly (number | undefined)[], allowed: number): number[] {
  return expected.map((share, index) => {
    const unknown = 1 - (index + 1) / (expected.length + 1);
    if (share === undefined) return unknown;
    const guessed = 1 / (1 + (share / allowed / TYPICAL) ** STEEPNESS);
    return TRUSTED * guessed + (1 - TRUSTED) * unknown;
  });
}

/**
 * The candidate to try next: the last that passes is as likely to stand before it as behind it.
 *
 * @param low - all before it pass
 * @param high - from it on none passes; more than `low`
 * @param chances - of each, that it passes, before any was tried
 */
export function nextToTry(low: number, high: number, chances: readonly number[]): number {
  const middle = ((chances[low - 1] ?? 1) + (chances[high] ?? 0)) / 2;
  // Rounding is not to decide between two that are as near.
  const off = (index: number): number => Math.abs((chances[index] ?? 0) - middle) - ROUNDING * (index - low);
  let best = low;
  for (let index = low + 1; index < high; index++) if (off(index) < off(best)) best = index;
  return best;
}
