import { decisionOf } from '../../analysis/procure/decision.js';
import type { Procurement } from '../../analysis/procure/procurement.js';
import { escaped, markdownTable } from '../../text/markdown.js';
import { procurementTable } from '../../text/procure/table.js';
import { candidateName, headline, reasonsFor } from '../../text/procure/words.js';

/**
 * A procurement as Markdown: the answer, why, every candidate, how to read it.
 *
 * @param procurement - what was found
 */
export function procurementMarkdown(procurement: Procurement): string {
  const decision = decisionOf(procurement);
  const table = procurementTable(procurement);
  const chosen = decision.kind === 'buy' ? [...decision.best, ...decision.runnersUp] : [];
  return [
    '# What to buy',
    '',
    `**${escaped(headline(decision, procurement))}**`,
    '',
    ...chosen.flatMap((each) => [
      `- ${escaped(candidateName(each))}: ${escaped(reasonsFor(each, procurement).join(' '))}`,
    ]),
    ...(chosen.length > 0 ? [''] : []),
    ...markdownTable(table),
    '',
    ...table.notes.map((note) => `- ${escaped(note)}`),
    '',
  ].join('\n');
}
