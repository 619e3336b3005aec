import { geometricMean } from './geometric.js';
import type { Estimate } from './interval.js';

/**
 * A tail of latencies that were measured in several processes: the quantile of each round, as a geometric mean over the rounds with
 * Student's 95 % interval. Order statistics of all queries together know only how the queries of these very processes differ; the
 * bound that they give for the next process was wrong in 20 to 49 % of simulated cases.
 *
 * @param rounds - samples of each round
 * @param p - which quantile, 0 < p < 1
 * @returns undefined where no round has the 1 / (1 − p) samples of which one lies beyond the quantile, or one took no time
 */
export function tailOverRounds(rounds: readonly (readonly number[])[], p: number): Estimate | undefined {
  // 1 / (1 − 0.9) is a little more than ten.
  const least = Math.round(1 / (1 - p));
  const tails = rounds
    .filter(({ length }) => length >= least)
    .map((samples) => nearestRank(samples, 100 * p));
  return tails.length > 0 && tails.every((tail) => tail > 0) ? geometricMean(tails) : undefined;
}

/**
 * The smallest sample that so many percent of all do not exceed: one that was measured, not one between two that were.
 *
 * @param samples - at least one
 * @param percent - above 0, at most 100
 */
export function nearestRank(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
}
