import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { rowCosines, unitRows, votedClass } from '../../src/stats/neighbours.js';

const vote = { neighbours: 3, temperature: 0.07 };

/** The vote by sorting everything: exp(cosine / temperature) summed for each class among the nearest. */
function plainly(
  cosines: readonly number[],
  classes: readonly number[],
  k: number,
  temperature: number,
): number {
  const nearest = cosines
    .map((cosine, index) => ({ cosine, index }))
    .sort((a, b) => b.cosine - a.cosine || a.index - b.index)
    .slice(0, k);
  const weights = new Map<number, number>();
  for (const { cosine, index } of nearest)
    weights.set(classes[index]!, (weights.get(classes[index]!) ?? 0) + Math.exp(cosine / temperature));
  return [...weights].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]![0];
}

describe('the vote of neighbours', () => {
  it('is that of the sorted list, for any number of neighbours', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 200; round++) {
      const count = 1 + random.integer(40);
      const cosines = Array.from({ length: count }, () => 2 * random.uniform() - 1);
      const classes = cosines.map(() => random.integer(5));
      const neighbours = 1 + random.integer(12);
      for (const temperature of [0.07, 1])
        expect(votedClass(cosines, classes, { neighbours, temperature })).toBe(
          plainly(cosines, classes, neighbours, temperature),
        );
    }
  });

  it('lets one that is much nearer outweigh two that are not', () => {
    expect(votedClass([0.9, 0.5, 0.5], [7, 2, 2], vote)).toBe(7);
    expect(votedClass([0.9, 0.89, 0.89], [7, 2, 2], vote)).toBe(2);
    expect(votedClass([0.9, 0.5, 0.5], [7, 2, 2], { neighbours: 3, temperature: 10 })).toBe(2);
  });

  it('takes the first of those that are equally near, and the smaller of classes with equal weights', () => {
    expect(votedClass([0.5, 0.5, 0.5, 0.5], [4, 3, 3, 9], { neighbours: 1, temperature: 1 })).toBe(4);
    expect(votedClass([0.5, 0.5], [4, 3], { neighbours: 2, temperature: 1 })).toBe(3);
  });

  it('bears fewer images than neighbours, temperatures near nothing, and no numbers', () => {
    expect(votedClass([-1, -0.9], [1, 2], { neighbours: 20, temperature: 1e-9 })).toBe(2);
    expect(votedClass([0.5, NaN], [1, 2], vote)).toBe(-1);
    expect(votedClass([], [], vote)).toBe(-1);
  });
});

describe('cosines of rows', () => {
  it('are those of the angles', () => {
    const cosines = rowCosines([1, 0, 3, 4, 1, 1], [0, 2, 6, 8, -1, -1], 2);
    for (const [row, cosine] of [0, 1, -1].entries()) expect(cosines[row]).toBeCloseTo(cosine, 14);
    expect(cosines.every((cosine) => Math.abs(cosine) <= 1)).toBe(true);
  });

  it('are nothing where a row is', () => {
    expect(rowCosines([0, 0], [1, 2], 2)).toEqual([0]);
    expect([...unitRows([0, 0, 3, 4], 2)]).toEqual([0, 0, 0.6, 0.8]);
    expect(() => rowCosines([1], [1, 2], 1)).toThrow(RangeError);
  });
});
