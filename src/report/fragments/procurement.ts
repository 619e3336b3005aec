import { decisionOf } from '../../analysis/procure/decision.js';
import type { Procurement } from '../../analysis/procure/procurement.js';
import { procurementTable } from '../../text/procure/table.js';
import { headline } from '../../text/procure/words.js';
import { gridOf } from '../html/grid.js';
import { html, unbroken } from '../html/markup.js';
import { procurementCharts } from '../procure/charts.js';
import { procurementSections } from '../procure/page.js';
import { fragmentOf, type Fragment } from './fragment.js';

/**
 * A procurement for somebody else's page: what it comes to, why, and every candidate with its rank.
 *
 * @param procurement - what was found
 */
export function procurementFragment(procurement: Procurement): Fragment {
  const decision = decisionOf(procurement);
  const charts = procurementCharts(procurement, decision).map((chart) => ({ chart }));
  return fragmentOf([
    {
      id: 'answer',
      title: 'Answer',
      content: html`<p class="answer">${unbroken(headline(decision, procurement))}</p>`,
    },
    ...procurementSections(procurement, decision, charts),
    { id: 'ranking', title: 'Every candidate, ranked', content: gridOf(procurementTable(procurement)) },
  ]);
}
