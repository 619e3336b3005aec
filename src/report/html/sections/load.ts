import type { Analysis } from '../../../analysis/analysis.js';
import type { ServerFigures } from '../../../analysis/figures/load.js';
import * as format from '../../../text/format.js';
import { labelOf } from '../../../analysis/label.js';
import { loadName, loadTable, outcomeTexts } from '../../../text/load.js';
import { grid, gridOf } from '../grid.js';
import { html, type Markup } from '../markup.js';

/**
 * What each variant bears under load, and which rates were tried.
 *
 * @param analysis - of a run
 * @returns undefined where no load was asked for
 */
export function load(analysis: Analysis): Markup | undefined {
  const table = loadTable(analysis);
  if (table.rows.length === 0) return undefined;
  return html`${gridOf(table)}
  ${analysis.figures.flatMap((figures) =>
    figures.loads.flatMap((each) =>
      each.kind === 'server' ? [searches(each, labelOf(figures, analysis))] : [],
    ),
  )}`;
}

function searches(figures: ServerFigures, name: string): Markup {
  return html`<details>
    <summary>${name}, ${loadName(figures)}, batch ${figures.batch}: the rates that were tried</summary>
    ${grid(
      ['round', 'queries/s', 'queries', 'served', 'p99 ms', 'busy %', 'outcome'].map((title) => ({
        title,
        align: title === 'outcome' ? ('left' as const) : ('right' as const),
      })),
      figures.searches.flatMap(({ round, tried }) =>
        tried.map(({ rate, planned, served, p99, utilisation, outcome }) => [
          String(round + 1),
          format.significant(rate),
          format.integer(planned),
          format.integer(served),
          p99 === undefined ? '' : format.milliseconds(p99),
          format.percent(utilisation, 0),
          outcomeTexts[outcome],
        ]),
      ),
    )}
  </details>`;
}
