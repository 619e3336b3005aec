import { html } from '../../../report/html/markup.js';
import { comparePage as words } from '../../../text/dashboard/runs.js';
import { call } from '../api.js';
import { element, show } from '../dom.js';
import { runLink, withQuery } from '../links.js';
import type { View } from '../page.js';
import { field, problemMarkup, select } from '../parts.js';
import { enlivened, sectionsOf } from '../report.js';

/** Any two or more runs, each compared with a reference. */
export const compare: View = async ({ query, signal, show: showView, go }) => {
  const runs = (query.get('runs') ?? '').split(',').filter(Boolean);
  const reference = query.get('reference') ?? '';
  const force = query.get('force') === 'true';
  showView(
    words.title,
    html`<p>${words.how} <a href="/runs">${words.toRuns}</a></p>
      <form id="compare-form" class="filters">
        ${field('runs', words.runs, runs.join(','))}
        ${select('reference', words.reference, [{ value: '', text: words.first }, ...runs.map((run) => ({ value: run, text: run }))], reference)}
        <label class="check"
          ><input type="checkbox" name="force" value="true" ${force ? html`checked` : ''} />
          ${words.force}</label
        >
        <button type="submit" class="main">${words.submit}</button>
      </form>
      <div id="comparisons"></div>`,
  );
  element('compare-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const text = (name: string): string => {
      const value = given.get(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    const named = text('runs')
      .split(/[\s,]+/)
      .filter(Boolean);
    const chosen = text('reference');
    go(
      withQuery('/compare', {
        runs: named.join(','),
        reference: named.includes(chosen) ? chosen : undefined,
        force: text('force'),
      }),
    );
  });
  if (runs.length < 2) return;
  const place = element('comparisons');
  show(place, html`<p class="empty" aria-busy="true">${words.reload}</p>`);
  try {
    const found = await call<'compare'>('/compare', {
      query: { runs: runs.join(','), reference, force: force ? 'true' : undefined },
      signal,
    });
    show(
      place,
      html`${found.comparisons.map(
        ({ run, words: told, document: { run: of, reference: against } }, index) =>
          html`<article aria-labelledby="pair-${index}">
            <h2 id="pair-${index}" class="pair-title">
              <a href="${runLink(run)}">${words.against(of.id, against.id)}</a>
            </h2>
            ${sectionsOf(told, `pair-${index}-`)}
          </article> `,
      )}`,
    );
    await enlivened(signal);
  } catch (error) {
    if (!signal.aborted) show(place, problemMarkup(error));
  }
};
