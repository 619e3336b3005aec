/**
 * The rank of each value among all, from 1; equal values share the mean of theirs.
 *
 * @param values - in any order
 * @returns in the same order
 * @throws RangeError when one is NaN, which has no place among others and is not even equal to itself
 */
export function ranksOf(values: readonly number[]): number[] {
  const unordered = values.findIndex(Number.isNaN);
  if (unordered >= 0) throw new RangeError(`value ${unordered} of ${values.length} is NaN and has no rank`);
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    for (let i = start; i < end; i++) ranks[order[i]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}
