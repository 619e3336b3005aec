/** An amount of pruning or of merging. */
export interface Level {
  /** What it does to the logits: their mean squared error, relative to their variance. */
  readonly error: number;
}

/** An amount of pruning together with one of merging. */
export interface Pair<P extends Level, M extends Level> {
  readonly prune: P;
  readonly merge: M;
  /** The errors of both added up: they come from different places, and hardly go together. */
  readonly error: number;
  /** How many times fewer multiplications. */
  readonly speed: number;
}

/**
 * The pairs worth trying: of all, those that no other is as fast as with less error.
 *
 * @param prunes - amounts of pruning, none among them
 * @param merges - amounts of merging, none among them
 * @param speedOf - how many times fewer multiplications a pair leaves
 * @returns the gentlest first, each faster and with more error than the one before; the pair that changes nothing is left out
 */
export function frontOf<P extends Level, M extends Level>(
  prunes: readonly P[],
  merges: readonly M[],
  speedOf: (prune: P, merge: M) => number,
): Pair<P, M>[] {
  const pairs = prunes.flatMap((prune) =>
    merges.map((merge) => ({ prune, merge, error: prune.error + merge.error, speed: speedOf(prune, merge) })),
  );
  pairs.sort((a, b) => a.error - b.error || b.speed - a.speed);
  let fastest = 1;
  return pairs.filter(({ speed }) => {
    if (speed <= fastest) return false;
    fastest = speed;
    return true;
  });
}
