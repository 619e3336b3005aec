import type { Estimate } from './interval.js';

/** Where something stands among others that are known as intervals; less is better. */
export interface Standing {
  /** From 1: the tie that it belongs to; of one tie no two can be told apart. */
  readonly tie: number;
  /** How many belong to that tie. */
  readonly tied: number;
  /** The best place that it may have: one more than those that are surely less. */
  readonly best: number;
  /** The worst place that it may have: all but those that are surely more. */
  readonly worst: number;
}

/**
 * Orders things as far as their intervals tell. Two are told apart only where their intervals do not meet. That is no equivalence: a
 * may meet b and b meet c while a lies below c. So ties are taken off one after the other, as the layers of an interval order are
 * (Fishburn, "Interval Orders and Interval Graphs", 1985): the first tie is all below which nothing surely lies, the next is the same of
 * what is left. With m the smallest upper end among those left, a tie is those whose lower end is at most m. All of its intervals hold
 * m, so that every two of them meet and none of them comes before another. Whatever is in a later tie is surely more than at least one of
 * the tie before; `best` and `worst` say how much more of the order is sure.
 *
 * @param intervals - in any order
 * @returns in the same order
 * @throws RangeError for an interval that ends before it begins, or at no number
 */
export function standings(intervals: readonly Estimate[]): Standing[] {
  if (!intervals.every(({ low, high }) => low <= high)) throw new RangeError('an interval without ends');
  const ties = new Map<Estimate, number>();
  let left = [...intervals];
  for (let tie = 1; left.length > 0; tie++) {
    const least = Math.min(...left.map(({ high }) => high));
    for (const each of left) if (each.low <= least) ties.set(each, tie);
    left = left.filter((each) => !ties.has(each));
  }
  return intervals.map((own) => {
    const tie = ties.get(own) ?? 0;
    return {
      tie,
      tied: intervals.filter((each) => ties.get(each) === tie).length,
      best: 1 + intervals.filter(({ high }) => high < own.low).length,
      worst: intervals.length - intervals.filter(({ low }) => low > own.high).length,
    };
  });
}
