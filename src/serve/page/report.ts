import type { Fragment } from '../../report/fragments/fragment.js';
import { enliven } from '../../report/behaviour/enliven.js';
import type { Embed } from '../../report/behaviour/charts.js';
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
  await enliven(
    {
      embed,
      // The policy of the page forbids styles from code: those are in its own style sheet.
      options: { defaultStyle: false, tooltip: { disableDefaultStyle: true } },
    },
    signal,
  );
}

/** The library of the charts is as large as all else ten times over: it comes when there is something to draw. */
async function embed(): Promise<Embed> {
  return (await import('vega-embed')).default;
}
