import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Estimate } from '../../src/stats/interval.js';
import { standings } from '../../src/stats/ties.js';

const between = (low: number, high: number): Estimate => ({ value: (low + high) / 2, low, high });
const meet = (a: Estimate, b: Estimate): boolean => a.low <= b.high && b.low <= a.high;

const intervals = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 12 }))
    .map(([low, width]) => between(low, low + width)),
  { maxLength: 12 },
);

describe('standings', () => {
  it('of a chain, in which neighbours meet and ends do not, are two ties: overlap is not transitive', () => {
    const [a, b, c] = standings([between(0, 2), between(1.5, 4), between(3, 5)]);
    expect([a!.tie, b!.tie, c!.tie]).toEqual([1, 1, 2]);
    // The middle one may be the first or the last; the ends are sure of each other.
    expect(a).toMatchObject({ tied: 2, best: 1, worst: 2 });
    expect(b).toMatchObject({ tied: 2, best: 1, worst: 3 });
    expect(c).toMatchObject({ tied: 1, best: 2, worst: 3 });
  });

  it('of exact and different numbers are their order, of equal ones a tie', () => {
    expect(standings([3, 1, 2].map((each) => between(each, each))).map(({ tie }) => tie)).toEqual([3, 1, 2]);
    expect(standings([between(1, 1), between(1, 1)])).toEqual([
      { tie: 1, tied: 2, best: 1, worst: 2 },
      { tie: 1, tied: 2, best: 1, worst: 2 },
    ]);
    expect(standings([])).toEqual([]);
  });

  it('never part two of a tie, and put nothing into a later tie that all of the tie before might exceed', () => {
    fc.assert(
      fc.property(intervals, (all) => {
        const places = standings(all);
        for (const [index, { tie, tied, best, worst }] of places.entries()) {
          const fellows = all.filter((_, other) => places[other]!.tie === tie);
          expect(fellows).toHaveLength(tied);
          for (const fellow of fellows) expect(meet(all[index]!, fellow)).toBe(true);
          if (tie > 1) {
            const before = all.filter((_, other) => places[other]!.tie === tie - 1);
            expect(before.some(({ high }) => high < all[index]!.low)).toBe(true);
          }
          expect(best).toBeLessThanOrEqual(worst);
        }
      }),
    );
  });

  it('hold the place that the numbers themselves have, wherever they lie in their intervals', () => {
    fc.assert(
      fc.property(intervals, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (all, shares) => {
        const values = all.map(({ low, high }) => low + (high - low) * (shares.next().value as number));
        for (const [index, { best, worst }] of standings(all).entries()) {
          const place = 1 + values.filter((value) => value < values[index]!).length;
          expect(place).toBeGreaterThanOrEqual(best);
          expect(place).toBeLessThanOrEqual(worst);
        }
      }),
    );
  });

  it('are refused for what is no interval', () => {
    expect(() => standings([between(0, 1), { value: NaN, low: NaN, high: NaN }])).toThrow(RangeError);
    expect(() => standings([{ value: 1, low: 2, high: 1 }])).toThrow(RangeError);
  });
});
