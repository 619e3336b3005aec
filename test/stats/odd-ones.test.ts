import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/base/random.js';
import { holm } from '../../src/stats/holm.js';
import { oddness } from '../../src/stats/odd-ones.js';
import { shareOf } from '../support/simulate.js';

/** Whether anything of a sample is an outlier at 5 %. */
function alarms(values: readonly number[], relative?: readonly number[]): boolean {
  return holm(oddness(values, relative)!.ps).some((p) => p <= 0.05);
}

function normals(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.normal());
}

describe('the odd ones of a sample', () => {
  test('of four are those of Student’s t by leaving each out', () => {
    // SciPy's t.sf, by the definition.
    const expected = [0.6783662395486616, 0.8927887465162205, 0.4639437325811026, 0.035098718645984656];
    const found = oddness([1, 1.1, 0.9, 1.6])!;
    expect(found.method).toBe('left out');
    for (const [index, p] of expected.entries()) expect(found.ps[index]).toBeCloseTo(p, 10);
  });

  test('of two nobody can name', () => {
    expect(oddness([1, 5])).toBeUndefined();
    expect(oddness([1, 1, 1])).toBeUndefined();
    expect(oddness([1, 1, 1, 1, 1, 2])).toBeUndefined();
  });

  test.each([3, 4, 5, 6, 8, 12, 20])('of %d alike are false in at most one sample in twenty', (count) => {
    const cases = 3000;
    // 2.6 standard errors.
    expect(shareOf(cases, count, (random) => alarms(normals(random, count)))).toBeLessThanOrEqual(0.0604);
  });

  test('are false no more often where values are not equally sure', () => {
    const relative = [1, 1, 0.7, 0.7, 1.5, 1.5, 1, 0.8];
    const share = shareOf(3000, 3, (random) =>
      alarms(
        relative.map((scale) => scale * random.normal()),
        relative,
      ),
    );
    expect(share).toBeLessThanOrEqual(0.0604);
  });

  test('are found, also two of them', () => {
    const found = shareOf(300, 5, (random) => {
      const values = normals(random, 10);
      values[0] = 12;
      values[1] = 13;
      const adjusted = holm(oddness(values)!.ps);
      return adjusted[0]! <= 0.05 && adjusted[1]! <= 0.05;
    });
    expect(found).toBeGreaterThan(0.9);
  });

  test.each([4, 7])('of %d are those beyond the distance that is told', (count) => {
    const values = Array.from({ length: count }, (_, index) => Math.sin(index * 7));
    const { distanceFor } = oddness(values)!;
    expect(distanceFor(0.01)).toBeGreaterThan(distanceFor(0.1));
    if (count < 5) return;
    const centre = [...values].sort((a, b) => a - b)[3]!;
    const moved = values.map((value) =>
      value === Math.max(...values) ? centre + distanceFor(0.02) * 1.001 : value,
    );
    expect(Math.min(...oddness(moved)!.ps)).toBeLessThan(0.05);
  });
});
