import type { Analysis } from '../../../analysis/analysis.js';
import { refitTable } from '../../../text/refit.js';
import { gridOf } from '../grid.js';
import type { Markup } from '../markup.js';

/**
 * What heads that were fitted anew behind a recipe gave.
 *
 * @param analysis - of a run
 * @returns undefined where there are none
 */
export function refit(analysis: Analysis): Markup | undefined {
  const table = refitTable(analysis);
  return table.rows.length === 0 ? undefined : gridOf(table);
}
