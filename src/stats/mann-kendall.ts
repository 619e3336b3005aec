import { normalTail } from './normal.js';

/**
 * Mann–Kendall test for a monotone trend: the two-sided probability of as many pairs in order, or in reverse, if the values came
 * in random order, by the normal approximation with corrections for ties and continuity (Mann 1945; Kendall, "Rank
 * Correlation Methods", 1975). The approximation holds from eight values on; of five it is still on the careful side.
 *
 * @param values - in the order of time; the work grows with their square
 * @param inflation - by how much the variance exceeds that of independent values (Hamed & Rao, Journal of Hydrology 1998)
 * @returns p, 0 … 1
 */
export function mannKendall(values: readonly number[], inflation = 1): number {
  return stratifiedMannKendall([values], inflation);
}

/**
 * Mann–Kendall test over several stretches, of which only pairs within one are compared: their scores and variances add up, as
 * in the seasonal test (Hirsch, Slack & Smith, Water Resources Research 1982). What lies between two stretches does not count.
 *
 * @param stretches - each in the order of time
 * @param inflation - as for `mannKendall`
 * @returns p, 0 … 1
 */
export function stratifiedMannKendall(stretches: readonly (readonly number[])[], inflation = 1): number {
  let score = 0;
  let variance = 0;
  for (const values of stretches) {
    const n = values.length;
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) score += Math.sign(values[j]! - values[i]!);
    const counts = new Map<number, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    variance += n * (n - 1) * (2 * n + 5);
    for (const ties of counts.values()) variance -= ties * (ties - 1) * (2 * ties + 5);
  }
  variance *= inflation / 18;
  if (!(variance > 0)) return 1;
  return Math.min(1, 2 * normalTail(Math.max(0, Math.abs(score) - 1) / Math.sqrt(variance)));
}
