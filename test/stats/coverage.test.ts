import { describe, expect, test } from 'vitest';
import { coverageCases, simulate } from '../support/coverage.js';

/** The table in docs/how-edgeflex-decides.md has 2,000 simulated cases of each; the same seeds yield the same cases here. */
const claimed = coverageCases.filter(({ claim }) => claim !== 'none');

/**
 * Cases that are simulated here. Of 2,000, the share that a 91.5 % interval covers is below 93 % in all but one of a hundred seeds;
 * of 300, with the slack that they are given, the share of an 84.5 % interval is below what is asked.
 */
const CASES = 2000;
const SLOW_CASES = 300;

/** What 2.6 standard errors of a simulated share are: one in a hundred is further off by chance. */
const chance = (share: number, cases: number): number => 2.6 * Math.sqrt((share * (1 - share)) / cases);

describe('simulated', () => {
  test.each(claimed.map((each) => [each.estimator, each.distribution, each.size, each] as const))(
    '%s (%s, %s) covers and alarms as claimed',
    (_estimator, _distribution, _size, each) => {
      const cases = each.slow ? SLOW_CASES : CASES;
      // Of fewer cases the share is less sure.
      const slack = each.slow ? chance(0.95, cases) : 0;
      const { coverage, alarms } = simulate(each, cases, each.seed);
      if (coverage !== undefined) {
        expect(coverage).toBeGreaterThanOrEqual(0.93 - slack);
        if (each.claim === 'exact') expect(coverage).toBeLessThanOrEqual(0.97 + slack);
      }
      if (alarms !== undefined) expect(alarms).toBeLessThanOrEqual(each.alpha + chance(each.alpha, cases));
    },
  );

  test('what is not claimed is seen to fail: samples of several processes are not independent', () => {
    const pooled = coverageCases.find(({ estimator }) => estimator.includes('pooled'))!;
    expect(simulate(pooled, 500, pooled.seed).coverage).toBeLessThan(0.8);
  });
});
