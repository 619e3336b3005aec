/** Players of a game whose attribution is computed exactly: all coalitions of more take too long to measure anyway. */
export const MOST_PLAYERS = 8;

/**
 * How Shapley's values follow from what each coalition is worth (Shapley, "A value for n-person games", 1953): what a player adds,
 * averaged over all orders in which the players may come.
 *
 * @param players - how many
 * @returns `[players, 2^players]`: weights of the coalitions' worths; bit i of a coalition's index is player i
 * @throws RangeError with more than `MOST_PLAYERS`
 */
export function shapleyWeights(players: number): number[][] {
  if (players > MOST_PLAYERS) throw new RangeError(`${players} players; at most ${MOST_PLAYERS}`);
  const coalitions = 2 ** players;
  // |S|! (n − |S| − 1)! / n! = 1 / (n · C(n − 1, |S|))
  const share = Array.from({ length: players }, (_, size) => 1 / (players * choose(players - 1, size)));
  return Array.from({ length: players }, (_, player) => {
    const bit = 1 << player;
    return Array.from({ length: coalitions }, (_, coalition) => {
      const others = coalition & ~bit;
      const weight = share[sizeOf(others)]!;
      return (coalition & bit) === 0 ? -weight : weight;
    });
  });
}

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 0; i < k; i++) result = (result * (n - i)) / (i + 1);
  return result;
}

function sizeOf(coalition: number): number {
  let size = 0;
  for (let rest = coalition; rest > 0; rest &= rest - 1) size += 1;
  return size;
}
