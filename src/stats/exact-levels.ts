import { median } from 'simple-statistics';
import type { Segment } from './change-points.js';

/**
 * Cuts a history of figures without noise, as the accuracy on the same images and the size of a file are, where one is not that of
 * its level any more: at once, and for a single point too, because no chance makes it a blip.
 *
 * @param values - in the order of commits
 * @param differ - whether a value is of another level than the first value of a level
 * @returns the segments in order, that cover the series; none of no points
 */
export function exactLevels(
  values: readonly number[],
  differ: (first: number, value: number) => boolean,
): Segment[] {
  const starts: number[] = [];
  let first: number | undefined;
  for (const [index, value] of values.entries()) {
    if (first !== undefined && !differ(first, value)) continue;
    starts.push(index);
    first = value;
  }
  return starts.map((from, place) => {
    const to = (starts[place + 1] ?? values.length) - 1;
    return { from, to, level: median(values.slice(from, to + 1)), error: 0 };
  });
}
