import { median } from 'simple-statistics';
import { changePoints, type HistoryPoint, type Segment } from './change-points.js';
import { stratifiedMannKendall } from './mann-kendall.js';
import { stratifiedTheilSen } from './theil-sen.js';

/** A slow change over a history. */
export interface Creep {
  /** Over the whole history, as a share: 0.05 for 5 % more at its end. */
  readonly change: number;
  /** Two-sided probability of so steady a change by chance. */
  readonly p: number;
}

/** Of fewer points the test says nothing. */
const FEWEST = 8;
/** On either side of a change point so many points say how sharp it is. */
const NEARBY = 3;
const LEVEL = 0.05;

/**
 * Looks for a change that came in steps too small to be seen one by one: Theil–Sen slope and Mann–Kendall test over the
 * logarithms of a history. Sharp steps beyond the threshold are regressions of their own: only points between two of them are
 * compared with each other. A history creeps when that trend is significant at 0.05 and beyond the threshold in total. The test
 * takes measurements of different commits for independent. Where they correlate by 0.5, as on a machine whose state outlasts
 * several of them, it alarms in 11 to 21 % of histories, so that the threshold must be beyond what the machine does by itself.
 *
 * @param series - in the order of commits
 * @param threshold - the share from which a change matters, 0.02 for 2 %
 * @param segments - between its change points, where they are known already
 * @returns undefined where nothing creeps, and of fewer than eight points
 * @throws RangeError for a value that is not above 0
 */
export function creep(
  series: readonly HistoryPoint[],
  threshold: number,
  segments?: readonly Segment[],
): Creep | undefined {
  if (series.length < FEWEST) return undefined;
  const logs = series.map(({ value }) => Math.log(value));
  const stretches: number[][] = [];
  let start = 0;
  for (const { from, to } of (segments ?? changePoints(series)).slice(1)) {
    const before = logs.slice(Math.max(0, from - NEARBY), from);
    const after = logs.slice(from, Math.min(to + 1, from + NEARBY));
    if (Math.abs(Math.expm1(median(after) - median(before))) <= threshold) continue;
    stretches.push(logs.slice(start, from));
    start = from;
  }
  stretches.push(logs.slice(start));
  const change = Math.expm1(stratifiedTheilSen(stretches) * (series.length - 1));
  const p = stratifiedMannKendall(stretches);
  return p <= LEVEL && Math.abs(change) > threshold ? { change, p } : undefined;
}
