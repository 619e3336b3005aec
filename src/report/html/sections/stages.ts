import type { Fact, FactTable, StageFacts } from '../../../compress/facts.js';
import { factFigure, valueText } from '../../../text/stage-line.js';
import { facts, grid } from '../grid.js';
import { html, type Content, type Markup } from '../markup.js';

/** What a stage did: its most important figures, and its tables folded. */
export function stageContent({ headline, tables }: StageFacts): Markup {
  return html`${facts(headline.map((fact) => [fact.label, figure(fact)] as const))}${tables.map(folded)}`;
}

function figure(fact: Fact): Content {
  const { value, unit } = fact;
  if (unit !== 'name' || value === null || typeof value === 'number') return factFigure(fact);
  const names = typeof value === 'string' ? [value] : value;
  return names.map((name, index) => html`${index > 0 ? ', ' : ''}<code>${name}</code>`);
}

function folded({ title, note, columns, rows }: FactTable): Markup {
  return html`<details>
    <summary>${title}</summary>
    ${grid(
      columns.map((column) => ({
        title: column.title,
        align: column.unit === 'name' ? ('left' as const) : ('right' as const),
      })),
      rows.map((row) =>
        row.map((value, index) =>
          value === null && columns[index]?.unit === 'name'
            ? ''
            : valueText(value, columns[index]?.unit ?? 'name'),
        ),
      ),
    )}${note === undefined ? undefined : html`<p class="soft">${note}</p>`}
  </details>`;
}
