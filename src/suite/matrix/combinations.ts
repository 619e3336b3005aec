/** Which level of each factor a combination has, by index. */
export type Combination = readonly number[];

/**
 * Every combination of levels.
 *
 * @param counts - how many levels each factor has
 * @returns the last factor varies fastest
 */
export function fullFactorial(counts: readonly number[]): Combination[] {
  return counts.reduce<number[][]>(
    (known, count) => known.flatMap((each) => Array.from({ length: count }, (_, level) => [...each, level])),
    [[]],
  );
}

/**
 * All factors at their first level, then each factor alone at each of its others.
 *
 * @param counts - how many levels each factor has
 */
export function oneAtATime(counts: readonly number[]): Combination[] {
  const base = counts.map(() => 0);
  return [
    base,
    ...counts.flatMap((count, factor) =>
      Array.from({ length: count - 1 }, (_, level) => base.with(factor, level + 1)),
    ),
  ];
}

/**
 * All factors at their last level, then each factor alone back at its first.
 *
 * @param counts - how many levels each factor has
 */
export function leaveOneOut(counts: readonly number[]): Combination[] {
  const whole = counts.map((count) => count - 1);
  return [whole, ...counts.map((_, factor) => whole.with(factor, 0))];
}
