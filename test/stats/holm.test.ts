import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { holm } from '../../src/stats/holm.js';
import { draw, shareOf } from '../support/simulate.js';

describe('holm', () => {
  test('of the example of statsmodels and of R p.adjust is theirs', () => {
    // p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(12)))).toEqual([
      0.03, 0.06, 0.06, 0.02,
    ]);
  });

  test('keeps the order, never falls, never exceeds one', () => {
    const random = seededRandom(2);
    for (let i = 0; i < 200; i++) {
      const ps = draw(1 + random.integer(12), () => random.uniform() ** 3);
      const adjusted = holm(ps);
      ps.forEach((p, a) => {
        expect(adjusted[a]).toBeGreaterThanOrEqual(p);
        expect(adjusted[a]).toBeLessThanOrEqual(Math.min(1, ps.length * p));
        ps.forEach((other, b) => {
          if (p < other) expect(adjusted[a]).toBeLessThanOrEqual(adjusted[b]!);
        });
      });
    }
  });

  test('of one test changes nothing, of none is none', () => {
    expect(holm([0.03])).toEqual([0.03]);
    expect(holm([])).toEqual([]);
  });

  test('raises any false alarm among ten in no more than 5 % of families', () => {
    const share = shareOf(4000, 8, (random) => {
      const common = random.uniform();
      // Half of the tests say the same thing: dependence does not matter.
      const ps = draw(10, () => random.uniform()).map((p, index) => (index % 2 ? common : p));
      return holm(ps).some((p) => p <= 0.05);
    });
    expect(share).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 4000));
  });
});
