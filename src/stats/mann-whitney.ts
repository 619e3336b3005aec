import { normalTail } from './normal.js';
import { ranksOf } from './ranks.js';

/** Up to so many values in all the probability is counted out. */
const COUNTED = 20;

/**
 * Mann–Whitney U test: the two-sided probability of rank sums at least as uneven if both samples came from the same
 * distribution (Mann & Whitney, 1947). Of up to twenty values in all it is exact, ties included: the share of all ways to deal
 * the ranks out. Of more it is the normal approximation with corrections for ties and continuity, which with three or more values on
 * either side is within 0.008 of a probability below 0.1. simple-statistics has the rank
 * sum, without its probability.
 *
 * @param first - at least one
 * @param second - at least one
 * @returns p, 0 … 1
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): number {
  const [m, n] = [first.length, second.length];
  const total = m + n;
  const ranks = ranksOf([...first, ...second]);
  const rankSum = ranks.slice(0, m).reduce((sum, rank) => sum + rank, 0);
  const unevenness = Math.abs(rankSum - (m * (total + 1)) / 2);
  if (total <= COUNTED) return counted(ranks, m, unevenness);
  const perRank = new Map<number, number>();
  for (const rank of ranks) perRank.set(rank, (perRank.get(rank) ?? 0) + 1);
  let ties = 0;
  for (const count of perRank.values()) ties += count ** 3 - count;
  const variance = ((m * n) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  const z = Math.max(0, unevenness - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * normalTail(z));
}

/** The share of all choices of `m` ranks whose sum is at least so far from its mean. */
function counted(ranks: readonly number[], m: number, unevenness: number): number {
  // Ranks of ties are halves: twice a rank is whole.
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const most = doubled.reduce((sum, rank) => sum + rank, 0);
  /** ways[k][s]: in how many ways k of the ranks so far add up to s. */
  const ways = Array.from({ length: m + 1 }, () => new Float64Array(most + 1));
  ways[0]![0] = 1;
  for (const rank of doubled) {
    for (let k = m; k >= 1; k--) {
      const [to, from] = [ways[k]!, ways[k - 1]!];
      for (let sum = most; sum >= rank; sum--) to[sum]! += from[sum - rank]!;
    }
  }
  let [all, atLeast] = [0, 0];
  ways[m]!.forEach((count, sum) => {
    all += count;
    if (Math.abs(sum / 2 - (m * (ranks.length + 1)) / 2) >= unevenness) atLeast += count;
  });
  return atLeast / all;
}
