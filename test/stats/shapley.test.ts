import { describe, expect, it } from 'vitest';
import { permutation, seededRandom } from '../../src/base/random.js';
import { dot } from '../../src/stats/least-squares.js';
import { MOST_PLAYERS, shapleyWeights } from '../../src/stats/shapley.js';

const values = (players: number, worth: readonly number[]): number[] =>
  shapleyWeights(players).map((weights) => dot(weights, worth));

/** All orders of some players. */
function orders(players: readonly number[]): number[][] {
  if (players.length === 0) return [[]];
  return players.flatMap((first) =>
    orders(players.filter((each) => each !== first)).map((rest) => [first, ...rest]),
  );
}

/** What each player adds, averaged over all orders: the definition. */
function byOrders(players: number, worth: readonly number[]): number[] {
  const all = orders(Array.from({ length: players }, (_, index) => index));
  const sums = Array.from({ length: players }, () => 0);
  for (const order of all) {
    let coalition = 0;
    for (const player of order) {
      const grown = coalition | (1 << player);
      sums[player]! += worth[grown]! - worth[coalition]!;
      coalition = grown;
    }
  }
  return sums.map((sum) => sum / all.length);
}

describe("Shapley's values", () => {
  it('are the mean over all orders, and sum to the whole', () => {
    const random = seededRandom(1);
    for (const players of [1, 2, 3, 4, 5, 6]) {
      const worth = Array.from({ length: 2 ** players }, () => random.normal());
      const own = values(players, worth);
      for (const [index, expected] of byOrders(players, worth).entries())
        expect(own[index]).toBeCloseTo(expected, 10);
      expect(own.reduce((sum, each) => sum + each, 0)).toBeCloseTo(worth.at(-1)! - worth[0]!, 10);
    }
  });

  it('sum to the whole for the most players, too', () => {
    const random = seededRandom(2);
    const worth = Array.from({ length: 2 ** MOST_PLAYERS }, () => random.normal());
    const sum = values(MOST_PLAYERS, worth).reduce((all, each) => all + each, 0);
    expect(sum).toBeCloseTo(worth.at(-1)! - worth[0]!, 9);
    expect(() => shapleyWeights(MOST_PLAYERS + 1)).toThrow(RangeError);
  });

  it('give equals the same, and nothing to who adds nothing', () => {
    // Player 2 adds nothing; 0 and 1 are interchangeable.
    const worth = Array.from({ length: 8 }, (_, coalition) => [0, 2, 2, 7][coalition & 3]!);
    const [first, second, dummy] = values(3, worth);
    expect(first).toBeCloseTo(second!, 12);
    expect(dummy).toBeCloseTo(0, 12);
    expect(first! + second!).toBeCloseTo(7, 12);
  });

  it('do not depend on the order in which players are named', () => {
    const random = seededRandom(4);
    const players = 4;
    const worth = Array.from({ length: 2 ** players }, () => random.normal());
    const places = permutation(players, random);
    const renamed = worth.map((_, coalition) => {
      let old = 0;
      for (const [player, place] of places.entries()) if ((coalition >> place) & 1) old |= 1 << player;
      return worth[old]!;
    });
    const [own, other] = [values(players, worth), values(players, renamed)];
    for (const [player, place] of places.entries()) expect(other[place]).toBeCloseTo(own[player]!, 10);
  });
});
