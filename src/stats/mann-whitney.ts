import { normalTail } from './normal.js';

/**
 * Mann–Whitney U test: the two-sided probability of rank sums at least as uneven if both samples came from the same
 * distribution, by the normal approximation with corrections for ties and continuity (Mann & Whitney, 1947).
 *
 * @param first - at least one
 * @param second - at least one
 * @returns p, 0 … 1
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): number {
  const [m, n] = [first.length, second.length];
  const all = [
    ...first.map((value) => ({ value, own: true })),
    ...second.map((value) => ({ value, own: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end]!.value === all[start]!.value) end += 1;
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) if (all[i]!.own) rankSum += rank;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  const u = rankSum - (m * (m + 1)) / 2;
  const total = m + n;
  const variance = ((m * n) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  const z = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5) / Math.sqrt(variance);
  return Math.min(1, 2 * normalTail(z));
}
