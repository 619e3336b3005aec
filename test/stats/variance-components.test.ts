import { describe, expect, test } from 'vitest';
import type { Random } from '../../src/base/random.js';
import { chiSquareTail, chiSquareUpper } from '../../src/stats/chi-square.js';
import { fisherTail, fisherUpper } from '../../src/stats/f-distribution.js';
import { varianceComponents } from '../../src/stats/variance-components.js';
import { covers, shareOf } from '../support/simulate.js';

/* The numbers of the distributions and of the example are SciPy's 1.17 (`chi2.sf`, `f.sf`, `f_oneway`), the interval by its formula there. */

describe('χ² and F', () => {
  test.each([
    [0.5, 1, 0.47950012218695337],
    [3.84, 1, 0.05004352124870519],
    [10, 10, 0.44049328506521257],
    [200, 150, 0.003973185970821635],
    [0.01, 3, 0.9997348349413444],
    [80, 40, 0.0001763028977385677],
  ])('P(χ² > %d) of %d degrees', (x, degrees, tail) => {
    expect(chiSquareTail(x, degrees) / tail).toBeCloseTo(1, 10);
    expect(chiSquareUpper(tail, degrees) / x).toBeCloseTo(1, 9);
  });

  test.each([
    [1, 2, 3, 0.46475800154489],
    [4.5, 5, 12, 0.015289085570258838],
    [0.2, 19, 60, 0.9998479806616244],
    [12, 1, 7, 0.010489203142015742],
    [2, 99, 400, 1.4118554141837196e-6],
  ])('P(F > %d) of %d and %d degrees', (x, above, below, tail) => {
    expect(fisherTail(x, above, below) / tail).toBeCloseTo(1, 10);
    expect(fisherUpper(tail, above, below) / x).toBeCloseTo(1, 8);
  });
});

const example = [
  [62, 60, 63, 59],
  [63, 67, 71, 64],
  [68, 66, 71, 67],
  [56, 62, 60, 61],
];

/** Groups of given sizes with two standard deviations. */
function drawn(random: Random, sizes: readonly number[], between: number, within: number): number[][] {
  return sizes.map((size) => {
    const level = between * random.normal();
    return Array.from({ length: size }, () => level + within * random.normal());
  });
}

describe('variance components', () => {
  test('of groups of one size are those of the analysis of variance', () => {
    const found = varianceComponents(example)!;
    expect(found).toMatchObject({ groups: 4, observations: 16, degrees: { between: 3, within: 12 } });
    expect(found.between.value).toBeCloseTo(3.770775782249589, 10);
    expect(found.between.low).toBeCloseTo(1.7354411909965928, 8);
    expect(found.between.high).toBeCloseTo(14.830420993319029, 7);
    expect(found.within.value).toBeCloseTo(2.6378652985574025, 10);
    expect(found.within.low).toBeCloseTo(1.8915762373327736, 8);
    expect(found.within.high).toBeCloseTo(4.3544169404160975, 8);
    expect(found.share.value).toBeCloseTo(0.6714215445154943, 10);
    expect(found.share.low).toBeCloseTo(0.20797596071247723, 8);
    expect(found.share.high).toBeCloseTo(0.9702643246056533, 8);
    expect(found.p).toBeCloseTo(0.00197597645219721, 10);
  });

  test('are not told where nobody can know them', () => {
    expect(varianceComponents([[1, 2, 3]])).toBeUndefined();
    expect(varianceComponents([[1], [2], [3]])).toBeUndefined();
    expect(
      varianceComponents([
        [1, 1],
        [2, 2],
      ]),
    ).toBeUndefined();
  });

  const even = Array.from({ length: 6 }, () => 5);
  const uneven = [2, 3, 5, 5, 8, 12];
  test.each([
    ['alike', even, 0.01, 0.01],
    ['that differ much', even, 0.05, 0.01],
    ['that differ little', even, 0.003, 0.01],
    ['that do not differ', even, 0, 0.01],
    ['of different sizes', uneven, 0.01, 0.01],
    ['that are two', [4, 4], 0.01, 0.01],
  ])('of groups %s are covered by their intervals', (_name, sizes, between, within) => {
    const cases = 2000;
    const covered = (what: 'between' | 'within' | 'share'): number =>
      shareOf(cases, 7, (random) => {
        const truth = { between, within, share: between ** 2 / (between ** 2 + within ** 2) };
        return covers(varianceComponents(drawn(random, sizes, between, within))![what], truth[what]);
      });
    for (const what of ['between', 'within', 'share'] as const) {
      const share = covered(what);
      expect(share, what).toBeGreaterThanOrEqual(0.935);
      // Where there is no variance between groups, the lower end is 0 whenever it would be below.
      if (between > 0) expect(share, what).toBeLessThanOrEqual(0.975);
    }
  });
});
