import type { ComparisonReport } from '../../analysis/compare/gates.js';
import { differenceText } from '../../text/compare/obstacles.js';
import { changeSentence, headline, isChange, openGates } from '../../text/compare/summary.js';
import { comparisonTable } from '../../text/compare/table.js';
import { gridOf } from '../html/grid.js';
import { html, unbroken, type Markup } from '../html/markup.js';
import { fragmentOf, type Fragment } from './fragment.js';

/**
 * A comparison for somebody else's page: what changed, what gates say, every figure.
 *
 * @param report - of a comparison
 */
export function comparisonFragment(report: ComparisonReport): Fragment {
  const { comparison } = report;
  const changed = (direction: 'worse' | 'better'): string[] =>
    comparison.compared.filter(isChange(direction)).map((each) => changeSentence(each, report));
  return fragmentOf([
    {
      id: 'answer',
      title: 'In short',
      content: html`${comparison.forced.map(
          (each) =>
            html`<p class="banner flagged">
              Compared despite differences: ${unbroken(differenceText(each))}.
            </p> `,
        )}
        <p class="answer">${unbroken(headline(report))}</p>
        ${sentences('For the worse', changed('worse'))} ${sentences('For the better', changed('better'))}
        ${sentences(
          'Gates that do not hold, or cannot be decided',
          openGates(report).map(({ text }) => text),
        )}`,
    },
    { id: 'figures', title: 'Every figure', content: gridOf(comparisonTable(report)) },
  ]);
}

function sentences(title: string, lines: readonly string[]): Markup | undefined {
  if (lines.length === 0) return undefined;
  return html`<h3>${title}</h3>
    <ul class="findings">
      ${lines.map((line) => html`<li>${unbroken(line)}</li> `)}
    </ul>`;
}
