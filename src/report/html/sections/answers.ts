import type { Analysis } from '../../../analysis/analysis.js';
import { answeredQuestions } from '../../../text/answers.js';
import { html, unbroken, type Markup } from '../markup.js';

/** So many models and devices are answered for in sight. */
const MOST_IN_SIGHT = 4;

/**
 * What the run says, before anything else: what compression bought, at which loss, and where that does not hold.
 *
 * @param analysis - of a run
 * @returns undefined where nothing was compressed
 */
export function answers(analysis: Analysis): Markup | undefined {
  const questions = answeredQuestions(analysis);
  if (questions.length === 0) return undefined;
  return html`<dl class="answers">
    ${questions.map(
      ({ question, answers: told }) =>
        html`<div>
          <dt>${question}</dt>
          ${told.slice(0, MOST_IN_SIGHT).map((sentence) => html`<dd>${unbroken(sentence)}</dd> `)}
          ${
            told.length > MOST_IN_SIGHT
              ? html`<dd>
                  <details>
                    <summary>${told.length - MOST_IN_SIGHT} more</summary>
                    <ul>
                      ${told.slice(MOST_IN_SIGHT).map((sentence) => html`<li>${unbroken(sentence)}</li> `)}
                    </ul>
                  </details>
                </dd>`
              : undefined
          }
        </div> `,
    )}
  </dl>`;
}
