import { median } from 'simple-statistics';

/**
 * The slope of values against their index: the median of the slopes between all pairs (Theil 1950; Sen, JASA 1968). Outliers
 * do not move it as long as they are fewer than 29 %.
 *
 * @param values - equally spaced; the work grows with their square
 * @returns change from one to the next; 0 with fewer than two
 */
export function theilSen(values: readonly number[]): number {
  return stratifiedTheilSen([values]);
}

/**
 * The slope that several stretches have in common: the median of the slopes between all pairs within one (the seasonal slope of
 * Hirsch, Slack & Smith, Water Resources Research 1982). What lies between two stretches does not count.
 *
 * @param stretches - each equally spaced
 * @returns change from one to the next; 0 where none has two
 */
export function stratifiedTheilSen(stretches: readonly (readonly number[])[]): number {
  const slopes: number[] = [];
  for (const values of stretches)
    for (let i = 0; i < values.length; i++)
      for (let j = i + 1; j < values.length; j++) slopes.push((values[j]! - values[i]!) / (j - i));
  return slopes.length === 0 ? 0 : median(slopes);
}
