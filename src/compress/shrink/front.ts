/** An amount of pruning or of merging. */
export interface Level {
  /** What it does to the logits: their mean squared error, relative to their variance. */
  readonly error: number;
}

/** Amounts of several kinds together. */
export interface Combination<Amounts> {
  readonly amounts: Amounts;
  /** The errors of all added up: they come from different places, and hardly go together. */
  readonly error: number;
  /** How many times faster. */
  readonly speed: number;
}

/** Amounts of each kind, none of it among them. */
export type AmountsOf<Amounts> = { readonly [Kind in keyof Amounts]: readonly Amounts[Kind][] };

/**
 * The combinations worth trying: of all, those that no other is as fast as with less error.
 *
 * @param amounts - of each kind, none of it among them
 * @param speedOf - how many times faster amounts of all kinds make a model
 * @param step - how many times as fast as the one before each must be at least; 1 for any that is faster
 * @returns the gentlest first, each faster and with more error than the one before; the one that changes nothing is left out
 */
export function frontOf<Amounts extends { readonly [Kind in keyof Amounts]: Level }>(
  amounts: AmountsOf<Amounts>,
  speedOf: (amounts: Amounts) => number,
  step = 1,
): Combination<Amounts>[] {
  const kinds = Object.keys(amounts) as (keyof Amounts)[];
  let all: Partial<Amounts>[] = [{}];
  for (const kind of kinds)
    all = all.flatMap((some) => amounts[kind].map((amount) => ({ ...some, [kind]: amount })));
  // Each has an amount of every kind now.
  const combinations = (all as Amounts[]).map((each) => ({
    amounts: each,
    error: kinds.reduce((sum, kind) => sum + each[kind].error, 0),
    speed: speedOf(each),
  }));
  combinations.sort((a, b) => a.error - b.error || b.speed - a.speed);
  let fastest = 1;
  return combinations.filter(({ speed }) => {
    if (speed <= fastest || speed < step * fastest) return false;
    fastest = speed;
    return true;
  });
}
