import type { z } from 'zod';
import { html, type Markup } from '../../../report/html/markup.js';
import { runPage as words } from '../../../text/dashboard/runs.js';
import type { Answer } from '../../api/routes.js';
import type { cellSchema } from '../../api/runs.js';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { element, paced, show } from '../dom.js';
import { cellLink, withQuery } from '../links.js';
import type { View } from '../page.js';
import { ago, empty, problemMarkup, progress, stateMark } from '../parts.js';
import { enlivened, sectionsOf } from '../report.js';
import { facts } from '../../../report/html/grid.js';
import { list } from '../table.js';

type Cell = z.output<typeof cellSchema>;
type Details = Answer<'run'>;

/** Cells that a page of their list shows. */
const CELLS = 50;
/** Between two drawings, in milliseconds. */
const PACE = 400;
/** Sections of the report that come before its cells. */
const ABOVE_CELLS = ['answers', 'results'];
/** Of the cells; at each of them a screen reader is told. */
const TOLD = 4;

/** A run: cell by cell while it goes on, then what it says. */
export const run: View = async ({ params, live, signal, show: showView }) => {
  const id = params['id'] ?? '';
  const path = `/runs/${encodeURIComponent(id)}`;
  let details = await call<'run'>(path, { signal });
  const cells = new CellList(details);
  showView(
    words.of(details.run.suite),
    html`<div id="facts"></div>
      <div id="warnings"></div>
      <section id="progress-section">
        <h2>${words.progress}</h2>
        <div id="progress"></div>
      </section>
      <div id="report"></div>
      <section id="cells-section">
        <h2>${words.cells}</h2>
        <div id="cells"></div>
      </section>
      <div id="report-rest"></div>`,
  );
  const draw = paced(
    () => {
      show(element('facts'), factsOf(details));
      show(element('warnings'), warnings(details));
      show(element('progress'), progressOf(details));
      element('progress-section').hidden = details.run.state !== 'running';
      cells.draw();
    },
    PACE,
    signal,
  );
  draw();
  cells.listen();

  const report = async (): Promise<void> => {
    const place = element('report');
    if (details.run.state === 'running') {
      show(place, html`<p class="soft">${words.later}</p>`);
      return;
    }
    if (details.run.cells.done === 0) {
      show(place, empty(words.nothing));
      return;
    }
    show(place, html`<p class="empty" aria-busy="true">${words.loadingReport}</p>`);
    try {
      const found = await call<'report'>(`${path}/report`, { signal });
      if (signal.aborted) return;
      const { upper, lower } = parted(found);
      show(place, html`${contents(upper, lower)}${sectionsOf({ sections: upper })}`);
      show(element('report-rest'), sectionsOf({ sections: lower }));
      await enlivened(signal);
    } catch (error) {
      if (!signal.aborted) show(place, problemMarkup(error));
    }
  };
  const again = paced(
    () =>
      void call<'run'>(path, { signal }).then(
        (found) => {
          const ended = details.run.state === 'running' && found.run.state !== 'running';
          details = found;
          cells.replace(found);
          draw();
          if (!ended) return;
          announce(words.ended_(found.run.state));
          void report();
        },
        // The connection is lost, which is shown; the next reset comes here again.
        () => undefined,
      ),
    1500,
    signal,
  );
  let told = 0;
  live.on('reset', again, signal);
  live.on(
    'run',
    (told_) => {
      if (told_.id !== details.run.id) return;
      const ended = details.run.state === 'running' && told_.state !== 'running';
      details = { ...details, run: told_ };
      const { all, pending } = told_.cells;
      const part = Math.floor((TOLD * (all - pending)) / Math.max(1, all));
      if (told_.state === 'running' && part > told) announce(words.share(all - pending, all));
      told = part;
      draw();
      if (!ended) return;
      announce(words.ended_(told_.state));
      again();
      void report();
    },
    signal,
  );
  live.on(
    'cell',
    ({ run: of, cell }) => {
      if (of !== details.run.id) return;
      cells.keep(cell);
      draw();
    },
    signal,
  );
  await report();
};

function factsOf({ run: of, command, data, devices }: Details): Markup {
  return html`${facts([
      [words.state, stateMark(of.state)],
      [words.run, html`<code>${of.name}</code>`],
      [words.started, ago(of.startedAt)],
      [words.ended, of.endedAt === null ? words.notEnded : ago(of.endedAt)],
      [words.models, of.models.join(', ')],
      [words.devices, devices.map(({ name, processor }) => `${name} (${processor})`).join('; ')],
      [words.scored, words.data(data.name, data.testImages)],
      [words.labels, of.labels.join(', ')],
      [words.branch, of.branch ?? ''],
      [words.commit, of.commit === null ? '' : html`<code>${of.commit.slice(0, 9)}</code>`],
      [words.command, html`<code>${command}</code>`],
      [words.version, of.version],
    ])}
    <p class="actions">
      <a href="${withQuery('/compare', { runs: of.id })}">${words.compare}</a>
      <a href="${withQuery('/history', { suite: of.suite, model: of.models[0], device: of.devices[0] })}"
        >${words.history}</a
      >
    </p>`;
}

function warnings({ warnings: found }: Details): Markup {
  if (found.length === 0) return html``;
  return html`<details
    class="banner ${found.some(({ kind }) => kind === 'failed') ? 'failed' : 'flagged'}"
    data-key="warnings"
  >
    <summary>${words.warnings(found.length)}</summary>
    <ul>
      ${found.map(({ text }) => html`<li>${text}</li> `)}
    </ul>
  </details>`;
}

function progressOf({ run: of }: Details): Markup {
  return progress(of.cells.all - of.cells.pending, of.cells.all, words.progressLabel(of.suite));
}

type Sections = Answer<'report'>['sections'];

/** What is said above the list of cells, and what below it: the answers are looked for first, then what they rest on. */
function parted({ sections }: Answer<'report'>): { readonly upper: Sections; readonly lower: Sections } {
  const last = sections.findLastIndex(({ id }) => ABOVE_CELLS.includes(id));
  return { upper: sections.slice(0, last + 1), lower: sections.slice(last + 1) };
}

function contents(upper: Sections, lower: Sections): Markup {
  const link = ({ id, title }: Sections[number]): Markup => html`<a href="#${id}">${title}</a> `;
  return html`<nav class="contents" aria-label="${words.contents}">
    ${upper.map(link)}<a href="#cells-section">${words.cells}</a> ${lower.map(link)}
  </nav>`;
}

/** The cells of a run: filtered, page by page, however many there are. */
class CellList {
  #cells: Map<string, Cell>;
  #from = 0;
  #words: readonly string[] = [];
  readonly #run: string;

  constructor({ cells, run: { id } }: Details) {
    this.#cells = new Map(cells.map((cell) => [cell.id, cell]));
    this.#run = id;
  }

  replace({ cells }: Details): void {
    this.#cells = new Map(cells.map((cell) => [cell.id, cell]));
  }

  keep(cell: Cell): void {
    this.#cells.set(cell.id, cell);
  }

  listen(): void {
    const place = element('cells');
    place.addEventListener('input', (event) => {
      this.#words = (event.target as HTMLInputElement).value.toLowerCase().split(/\s+/).filter(Boolean);
      this.#from = 0;
      this.draw();
    });
    place.addEventListener('click', (event) => {
      const step = (event.target as Element).closest<HTMLElement>('button[data-step]')?.dataset['step'];
      if (step === undefined) return;
      this.#from = Math.max(0, this.#from + Number(step) * CELLS);
      this.draw();
    });
  }

  draw(): void {
    const place = element('cells');
    if (place.firstElementChild === null)
      place.innerHTML = html`<label class="field filter"
          ><span>${words.filter}</span> <input type="search" id="cell-filter"
        /></label>
        <div id="cell-list"></div>`.text;
    const all = [...this.#cells.values()].filter((cell) =>
      this.#words.every((word) => textOf(cell).includes(word)),
    );
    const shown = all.slice(this.#from, this.#from + CELLS);
    show(
      element('cell-list'),
      shown.length === 0
        ? empty(words.noneShown)
        : html`${list(
            words.table,
            [
              {
                key: 'variant',
                title: words.columns.variant,
                of: (cell: Cell) =>
                  html`<a href="${cellLink(this.#run, cell.id)}">${cell.model} · ${cell.recipe}</a>`,
              },
              { key: 'kind', title: words.columns.kind, of: ({ kind }) => words.kinds[kind] },
              { key: 'batch', title: words.columns.batch, align: 'right', of: ({ batch }) => batch },
              { key: 'device', title: words.columns.device, of: ({ device }) => device },
              { key: 'state', title: words.columns.state, of: ({ state }) => stateMark(state) },
              {
                key: 'rounds',
                title: words.columns.rounds,
                align: 'right',
                of: ({ measured, rounds }) => `${measured} of ${rounds}`,
              },
              { key: 'reason', title: words.columns.reason, wide: true, of: ({ reason }) => reason ?? '' },
            ],
            shown,
          )}
          ${
            all.length <= CELLS
              ? undefined
              : html`<p class="actions">
                  <button
                    type="button"
                    data-step="-1"
                    data-key="previous"
                    ${this.#from === 0 ? html`disabled` : ''}
                  >
                    ${words.previous}
                  </button>
                  <button
                    type="button"
                    data-step="1"
                    data-key="next"
                    ${this.#from + CELLS >= all.length ? html`disabled` : ''}
                  >
                    ${words.next}
                  </button>
                  <span class="soft"
                    >${words.shown(this.#from + 1, this.#from + shown.length, all.length)}</span
                  >
                </p>`
          }`,
    );
  }
}

function textOf({ model, recipe, device, kind, batch, state, reason }: Cell): string {
  return `${model} ${recipe} ${device} ${words.kinds[kind]} ${batch} ${state} ${reason ?? ''}`.toLowerCase();
}
