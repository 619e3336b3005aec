import type { Analysis } from '../../analysis/analysis.js';
import { chartsOf } from '../charts/list.js';
import { runSections } from '../html/run-sections.js';
import { fragmentOf, type Fragment } from './fragment.js';

/**
 * The report of a run for somebody else's page.
 *
 * @param analysis - of a run
 */
export function runFragment(analysis: Analysis): Fragment {
  return fragmentOf(
    runSections(
      analysis,
      chartsOf(analysis).map((chart) => ({ chart })),
    ),
  );
}
