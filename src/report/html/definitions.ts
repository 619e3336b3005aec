import { html, type Markup } from './markup.js';

/** A term and what it means. */
export type Term = readonly [term: string, meaning: string];

/** A list of terms with their meanings. */
export function definitions(terms: readonly Term[]): Markup {
  return html`<dl class="glossary">
    ${terms.map(
      ([term, meaning]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${meaning}</dd>
        </div> `,
    )}
  </dl>`;
}
