import type { z } from 'zod';
import { html, type Content, type Markup } from '../../../report/html/markup.js';
import { runList as words, runPage } from '../../../text/dashboard/runs.js';
import { states } from '../../../text/dashboard/states.js';
import type { runSchema } from '../../api/runs.js';
import { call } from '../api.js';
import { element, show } from '../dom.js';
import { runLink, withQuery } from '../links.js';
import type { View } from '../page.js';
import { ago, empty, field, progress, select, stateMark } from '../parts.js';
import { list, type ListColumn } from '../table.js';

type Run = z.output<typeof runSchema>;

const runStates: readonly Run['state'][] = ['running', 'unfinished', 'complete', 'partly failed', 'failed'];

const columns: readonly (ListColumn<Run> & { readonly title: string })[] = [
  { key: 'started', title: words.columns.started, of: ({ startedAt }) => ago(startedAt) },
  { key: 'state', title: words.columns.state, of: ({ state }) => stateMark(state) },
  {
    key: 'cells',
    title: words.columns.cells,
    of: ({ cells, suite }) => progress(cells.all - cells.pending, cells.all, runPage.progressLabel(suite)),
  },
  { key: 'models', title: words.columns.models, wide: true, of: ({ models }) => models.join(', ') },
  { key: 'devices', title: words.columns.devices, wide: true, of: ({ devices }) => devices.join(', ') },
  { key: 'labels', title: words.columns.labels, wide: true, of: ({ labels }) => labels.join(', ') },
  { key: 'branch', title: words.columns.branch, of: ({ branch }) => branch ?? '' },
  {
    key: 'commit',
    title: words.columns.commit,
    of: ({ commit }) => (commit === null ? '' : html`<code>${commit.slice(0, 9)}</code>`),
  },
  { key: 'version', title: words.columns.version, of: ({ version }) => version },
];

/** Those that are not shown unless they are chosen. */
const usuallyHidden = ['branch', 'commit', 'version'];

const more = ['suite', 'model', 'device', 'label', 'branch', 'since', 'until'] as const;

/** The list of runs: searched, filtered, page by page; those that are selected are compared. */
export const runs: View = async ({ query, live, signal, show: showView, go }) => {
  const asked = Object.fromEntries(query);
  const hidden = new Set(query.get('hide')?.split(',') ?? usuallyHidden);
  const address = (changes: Readonly<Record<string, string | undefined>>): string =>
    withQuery('/runs', { ...asked, ...changes });
  const filters = Object.fromEntries([...query].filter(([name]) => name !== 'hide'));
  const found = await call<'runs'>('/runs', { query: { limit: 50, ...filters }, signal });
  showView(
    words.title,
    html`${form(query)} ${choice(hidden)}
      <p id="news" role="status"></p>
      <form id="picks">
        <div id="list"></div>
        <p class="actions">
          <button type="submit" class="main" id="compare" disabled>${words.compare(0)}</button>
          ${query.has('cursor') ? html`<a href="${address({ cursor: undefined })}">${words.first}</a>` : undefined}
          ${found.next === null ? undefined : html`<a href="${address({ cursor: found.next })}" rel="next">${words.next}</a>`}
        </p>
      </form>`,
  );
  const known = new Map(found.runs.map((run) => [run.id, run]));
  const picked = new Set<string>();
  const draw = (): void => show(element('list'), table([...known.values()], hidden, picked));
  draw();

  element('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const texts = Object.fromEntries(
      [...given].map(([name, value]) => [name, typeof value === 'string' ? value.trim() : '']),
    );
    const usual = texts['sort'] === 'newest' ? { ...texts, sort: '' } : texts;
    go(withQuery('/runs', { ...usual, hide: query.get('hide') ?? undefined }));
  });
  element('choice').addEventListener('change', (event) => {
    const box = event.target as HTMLInputElement;
    if (box.checked) hidden.delete(box.value);
    else hidden.add(box.value);
    go(address({ hide: [...hidden].join(',') || 'none' }), 'quietly');
    draw();
  });
  const picks = element('picks');
  const button = element('compare') as HTMLButtonElement;
  picks.addEventListener('change', (event) => {
    const { value, checked } = event.target as HTMLInputElement;
    if (checked) picked.add(value);
    else picked.delete(value);
    button.textContent = words.compare(picked.size);
    button.disabled = picked.size < 2;
  });
  picks.addEventListener('submit', (event) => {
    event.preventDefault();
    go(withQuery('/compare', { runs: [...picked].join(',') }));
  });

  // What is on the page changes in place; what is new is shown when the reader asks for it.
  const news = new Set<string>();
  live.on(
    'run',
    (run) => {
      if (known.has(run.id)) {
        known.set(run.id, run);
        draw();
        return;
      }
      if (query.has('cursor')) return;
      news.add(run.id);
      show(element('news'), html`${words.changed(news.size)} <a href="${address({})}">${words.refresh}</a>`);
    },
    signal,
  );
};

function form(query: URLSearchParams): Markup {
  const given = (name: string): string => query.get(name) ?? '';
  const open = more.some((name) => query.has(name));
  return html`<form id="filters" class="filters" role="search" aria-label="${words.filters}">
    ${field('search', words.search, given('search'), 'search', words.searchHint)}
    ${select('status', words.status, [{ value: '', text: words.any }, ...runStates.map((state) => ({ value: state, text: states[state]?.word ?? state }))], given('status'))}
    ${select(
      'sort',
      words.sort,
      Object.entries(words.orders).map(([value, text]) => ({ value, text })),
      given('sort') || 'newest',
    )}
    <details class="more" ${open ? html`open` : ''}>
      <summary>${words.more}</summary>
      <div class="filters">
        ${(['suite', 'model', 'device', 'label', 'branch'] as const).map((name) => field(name, words[name], given(name)))}
        ${field('since', words.since, given('since'), 'date')}
        ${field('until', words.until, given('until'), 'date')}
      </div>
    </details>
    <span class="actions"
      ><button type="submit" class="main">${words.apply}</button> <a href="/runs">${words.clear}</a></span
    >
  </form>`;
}

function choice(hidden: ReadonlySet<string>): Markup {
  return html`<details class="choice" id="choice">
    <summary>${words.choice}</summary>
    <fieldset>
      <legend>${words.choiceLegend}</legend>
      ${columns.map(
        ({ key, title }) =>
          html`<label
            ><input type="checkbox" value="${key}" ${hidden.has(key) ? '' : html`checked`} /> ${title}</label
          > `,
      )}
    </fieldset>
  </details>`;
}

function table(shown: readonly Run[], hidden: ReadonlySet<string>, picked: ReadonlySet<string>): Markup {
  if (shown.length === 0) return empty(words.none);
  const named: ListColumn<Run>[] = [
    {
      key: 'pick',
      title: html`<span class="unseen">${words.choice}</span>`,
      of: ({ id, name }) =>
        html`<input
          type="checkbox"
          value="${id}"
          data-key="pick ${id}"
          aria-label="${words.pick(name)}"
          ${picked.has(id) ? html`checked` : ''}
        />`,
    },
    {
      key: 'run',
      title: words.columns.run,
      of: ({ id, suite, name }): Content =>
        html`<a href="${runLink(id)}">${suite}</a> <span class="soft">${name}</span>`,
    },
  ];
  return list(words.table, [...named, ...columns.filter(({ key }) => !hidden.has(key))], shown);
}
