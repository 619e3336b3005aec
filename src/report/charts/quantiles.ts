import { defined } from '../../base/defined.js';
/** A point of an empirical distribution. */
export interface DistributionPoint {
  readonly value: number;
  /** Share of the samples that are no larger. */
  readonly share: number;
}

/**
 * The empirical distribution of samples, thinned to so many of its own points at even steps of rank, the smallest and the
 * largest sample among them. With no more samples than points, it is all of them.
 *
 * @param samples - at least one
 * @param points - at least two
 * @returns ascending
 */
export function thinnedDistribution(samples: readonly number[], points: number): DistributionPoint[] {
  const sorted = [...samples].sort((a, b) => a - b);
  const last = sorted.length - 1;
  const ranks =
    sorted.length <= points
      ? sorted.map((_, rank) => rank)
      : Array.from({ length: points }, (_, i) => Math.round((i / (points - 1)) * last));
  return ranks.map((rank) => ({
    value: defined(sorted[rank], 'a sample'),
    share: (rank + 1) / sorted.length,
  }));
}
