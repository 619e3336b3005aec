import { html, type Content, type Markup } from '../../report/html/markup.js';
import { shell } from '../../text/dashboard/shell.js';
import { states } from '../../text/dashboard/states.js';
import { agoText, momentText } from '../../text/dashboard/time.js';
import { CallError } from './api.js';

/**
 * A state: its sign, its word, its colour.
 *
 * @param state - of a run, a cell, a job or a device
 */
export function stateMark(state: string): Markup {
  const { sign, word, tone } = states[state] ?? { sign: '', word: state, tone: 'calm' };
  return html`<span class="state ${tone}"><span aria-hidden="true">${sign}</span> ${word}</span>`;
}

/**
 * A moment, told by how long ago it was; pointing at it says when.
 *
 * @param moment - ISO 8601; null: nothing
 */
export function ago(moment: string | null): Content {
  if (moment === null) return '–';
  return html`<time datetime="${moment}" title="${momentText(moment)}">${agoText(moment, Date.now())}</time>`;
}

/**
 * How far something is.
 *
 * @param done - of `all`
 * @param label - what it is of
 */
export function progress(done: number, all: number, label: string): Markup {
  return html`<span class="progress"
    ><progress value="${done}" max="${Math.max(1, all)}" aria-label="${label}"></progress>
    <span>${done} of ${all}</span></span
  >`;
}

/**
 * What is said where there is nothing to show.
 *
 * @param text - that there is nothing, and what to do
 */
export function empty(text: Content): Markup {
  return html`<p class="empty">${text}</p>`;
}

/** What is said while something loads. */
export function loading(): Markup {
  return html`<p class="empty" aria-busy="true">${shell.loading}</p>`;
}

/**
 * What went wrong, in the server's words, with what it expected.
 *
 * @param error - what a call threw
 * @throws what is not the answer of a call: a fault of the page itself
 */
export function problemMarkup(error: unknown): Markup {
  if (!(error instanceof CallError)) throw error;
  const { detail, fault } = error.problem;
  return html`<div class="banner failed" role="alert">
    <p>${detail}</p>
    ${fault === undefined || detail.includes(fault.expected) ? undefined : html`<p>${shell.expected(fault.expected)}</p>`}
    ${fault?.hint === undefined || detail.includes(fault.hint) ? undefined : html`<p>${fault.hint}</p>`}
  </div>`;
}

/** A choice in a list of choices. */
export interface Choice {
  readonly value: string;
  readonly text: string;
}

/**
 * A list to choose from, with its label.
 *
 * @param name - of the field
 * @param label - of the list
 * @param choices - in order
 * @param chosen - value of the one that is chosen
 */
export function select(name: string, label: string, choices: readonly Choice[], chosen: string): Markup {
  return html`<label class="field"
    ><span>${label}</span>
    <select name="${name}">
      ${choices.map(({ value, text }) => html`<option value="${value}" ${value === chosen ? html`selected` : ''}>${text}</option>`)}
    </select></label
  >`;
}

/**
 * A field for a text, with its label.
 *
 * @param name - of the field
 * @param label - of the field
 * @param value - what is in it
 * @param type - of the field
 * @param placeholder - an example
 */
export function field(name: string, label: string, value: string, type = 'text', placeholder = ''): Markup {
  return html`<label class="field"
    ><span>${label}</span> <input type="${type}" name="${name}" value="${value}" placeholder="${placeholder}"
  /></label>`;
}
