import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { dot, leastSquares } from '../../src/stats/least-squares.js';

/** Solves the normal equations by elimination with pivots: an oracle of its own. */
function normalEquations(columns: readonly (readonly number[])[], response: readonly number[]): number[] {
  const rows = columns.map((a) => [...columns.map((b) => dot(a, b)), dot(a, response)]);
  for (let at = 0; at < rows.length; at++) {
    const pivot = rows.reduce(
      (best, row, index) => (index >= at && Math.abs(row[at]!) > Math.abs(rows[best]![at]!) ? index : best),
      at,
    );
    [rows[at], rows[pivot]] = [rows[pivot]!, rows[at]!];
    for (let other = 0; other < rows.length; other++) {
      if (other === at) continue;
      const factor = rows[other]![at]! / rows[at]![at]!;
      rows[other] = rows[other]!.map((value, index) => value - factor * rows[at]![index]!);
    }
  }
  return rows.map((row, at) => row.at(-1)! / row[at]!);
}

describe('least squares', () => {
  it('gives what the normal equations give', () => {
    const random = seededRandom(3);
    for (let trial = 0; trial < 50; trial++) {
      const [rows, count] = [6 + random.integer(10), 1 + random.integer(5)];
      const columns = Array.from({ length: count }, () =>
        Array.from({ length: rows }, () => random.normal()),
      );
      const response = Array.from({ length: rows }, () => random.normal());
      const { kept, weights } = leastSquares(columns);
      expect(kept).toHaveLength(count);
      const expected = normalEquations(columns, response);
      for (const [index, own] of weights.entries())
        expect(dot(own, response)).toBeCloseTo(expected[index]!, 9);
    }
  });

  it('leaves out what others explain, and weighs each kept column by 1 and the others by 0', () => {
    const [a, b] = [
      [1, 2, 3, 4],
      [1, -1, 1, -1],
    ];
    const { kept, weights } = leastSquares([
      a,
      b,
      a.map((value, row) => 2 * value - 3 * b[row]!),
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ]);
    expect(kept).toEqual([0, 1, 4]);
    const columns = [a, b, [1, 0, 0, 0]];
    for (const [i, own] of weights.entries())
      for (const [j, column] of columns.entries()) expect(dot(own, column)).toBeCloseTo(Number(i === j), 12);
  });

  it('refuses lists of different lengths', () => {
    expect(() => dot([1], [1, 2])).toThrow(RangeError);
  });
});
