import { missingCeilingsText } from '../../../text/missing.js';
import type { Analysis } from '../../../analysis/analysis.js';
import type { OperatorLimit } from '../../../analysis/figures/limits.js';
import * as format from '../../../text/format.js';
import { labelOf } from '../../../analysis/label.js';
import { limitedOf, limitsTable, operatorName, type LimitedFigures } from '../../../text/limits.js';
import { grid, gridOf } from '../grid.js';
import { html, type Content, type Markup } from '../markup.js';

const GIGA = 1e9;

/**
 * How far each variant is from what its device can do at best, and where its time goes.
 *
 * @param analysis - of a run
 */
export function limits(analysis: Analysis): Markup {
  const limited = limitedOf(analysis);
  const missing = analysis.ceilingNotes.map((note) => html`<p>${missingCeilingsText(note)}</p> `);
  if (limited.length === 0)
    return html`${missing.length > 0 ? missing : html`<p>This run did not record the time of each operator.</p>`}`;
  return html`${missing}
    <p>
      What limits each variant: the times of its operators, from the runtime's profiler, compared with the
      peak performance of this device with the same runtime and threads. Where little of it is reached, a
      better kernel would help; where nearly all is, only fewer operations or fewer bytes will.
    </p>
    ${gridOf(limitsTable(analysis))}
    ${limited.map((figures) => operators(figures, labelOf(figures, analysis)))}`;
}

function operators({ limits: { batch, operators: listed, reached } }: LimitedFigures, name: string): Markup {
  return html`<details>
    <summary>${name}, one query of batch ${batch}: ${format.percent(reached, 0)} % of the best</summary>
    ${grid(
      [
        { title: 'operator' },
        ...['calls', 'ms', 'share %', 'GOP/s', 'GB/s', 'at best ms', 'reached %'].map((title) => ({
          title,
          align: 'right' as const,
        })),
        { title: 'at best bound by' },
      ],
      listed.map(rowOf),
    )}
  </details> `;
}

function rowOf(operator: OperatorLimit): Content[] {
  const {
    calls,
    milliseconds,
    share,
    operationsPerSecond,
    bytesPerSecond,
    leastMilliseconds,
    reached,
    bound,
  } = operator;
  const rate = (perSecond: number | undefined): string =>
    perSecond === undefined ? '' : format.significant(perSecond / GIGA);
  return [
    html`<code>${operatorName(operator)}</code>`,
    calls,
    format.milliseconds(milliseconds),
    format.percent(share),
    rate(operationsPerSecond),
    rate(bytesPerSecond),
    leastMilliseconds === undefined ? format.NONE : format.milliseconds(leastMilliseconds),
    reached === undefined ? format.NONE : format.percent(reached, 0),
    bound ?? '',
  ];
}
