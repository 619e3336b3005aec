import type { Fragment } from '../../report/fragments/fragment.js';
import { enliven } from '../../report/behaviour/enliven.js';
import type { Embed } from '../../report/behaviour/charts.js';
import { shell } from '../../text/dashboard/shell.js';
import { lostCode } from './api.js';
import { show } from './dom.js';
import { problemMarkup } from './parts.js';
import { html, Markup } from '../../report/html/markup.js';

/**
 * The sections of a report, which the server made of escaped texts.
 *
 * @param fragment - from the server
 * @param lead - level of their headings
 */
export function sectionsOf({ sections }: Fragment, prefix = ''): Markup {
  return html`${sections.map(
    ({ id, title, html: text }) =>
      html`<section id="${prefix}${id}">
        <h2>${title}</h2>
        ${new Markup(text)}
      </section> `,
  )}`;
}

/**
 * Brings charts and tables of reports to life.
 *
 * @param signal - ends it
 */
export async function enlivened(signal: AbortSignal): Promise<void> {
  // The policy of the page forbids styles from code: those are in its own style sheet.
  const options = { defaultStyle: false, tooltip: { disableDefaultStyle: true } };
  try {
    await enliven({ embed, options }, signal);
  } catch (error) {
    const place = document.querySelector('.picture');
    if (signal.aborted) return;
    if (place === null) throw error;
    // Charts are not all that there is.
    show(place, problemMarkup(error));
  }
}

/** The library of the charts is as large as all else ten times over: it comes when there is something to draw. */
async function embed(): Promise<Embed> {
  try {
    return (await import('vega-embed')).default;
  } catch {
    throw lostCode(shell.noCharts, 'vega-embed');
  }
}
