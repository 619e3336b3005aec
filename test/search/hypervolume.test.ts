import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hypervolume } from '../../src/search/hypervolume.js';

const SIDE = 5;
const point = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: SIDE })));
const worst = [SIDE, SIDE, SIDE];

/** Unit cubes of a grid that one of the points is at least as good as in every figure. */
function cubes(points: readonly (readonly number[])[]): number {
  let count = 0;
  for (let x = 0; x < SIDE; x++)
    for (let y = 0; y < SIDE; y++)
      for (let z = 0; z < SIDE; z++)
        if (points.some(([a = 0, b = 0, c = 0]) => a <= x && b <= y && c <= z)) count++;
  return count;
}

describe('the hypervolume', () => {
  it('is how many cubes of a grid its points cover', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 8 }), (points) => {
        expect(hypervolume(points, worst)).toBe(cubes(points));
      }),
    );
  });

  it('does not change with what is dominated, and counts nothing beyond the worst', () => {
    expect(
      hypervolume(
        [
          [1, 1],
          [2, 1],
          [0, 9],
        ],
        [4, 3],
      ),
    ).toBe(6);
    expect(hypervolume([], [1, 1])).toBe(0);
  });
});
