import { html, type Markup } from '../../../report/html/markup.js';
import { procurePage as words } from '../../../text/dashboard/analyses.js';
import type { Answer } from '../../api/routes.js';
import { announce } from '../announce.js';
import { call } from '../api.js';
import { element, settled, show } from '../dom.js';
import { withQuery } from '../links.js';
import type { View } from '../page.js';
import { field, problemMarkup, select } from '../parts.js';
import { enlivened, sectionsOf } from '../report.js';

type Candidate = Answer<'procure'>['document']['candidates'][number];

/** Something that can be limited. */
interface Limit {
  readonly name: 'latency' | 'accuracy' | 'memory' | 'energy' | 'throughput';
  readonly title: string;
  /** What a candidate has of it, in the unit of the field. */
  readonly of: (candidate: Candidate) => number | undefined;
  /** As the command line writes it. */
  readonly text: (value: string, query: URLSearchParams) => string;
}

const limits: readonly Limit[] = [
  {
    name: 'latency',
    title: words.latency,
    of: ({ latency }) => latency?.value,
    text: (value, query) => `${value}ms@${query.get('quantile') ?? 'p50'}`,
  },
  {
    name: 'accuracy',
    title: words.accuracy,
    of: ({ accuracy }) => accuracy && 100 * accuracy.value,
    text: (value) => `${value}%`,
  },
  {
    name: 'memory',
    title: words.memory,
    of: ({ memory }) => memory && memory.value / 1024 ** 2,
    text: (value) => `${value}MiB`,
  },
  { name: 'energy', title: words.energy, of: ({ energy }) => energy?.value, text: (value) => `${value}J` },
  {
    name: 'throughput',
    title: words.throughput,
    of: ({ throughput }) => throughput?.value,
    text: (value) => `${value}/s`,
  },
];

/** After the last move of a slider, in milliseconds. */
const PAUSE = 250;

/** Devices and variants that keep to limits, ranked by what they cost. */
export const procure: View = async ({ query, signal, show: showView, go }) => {
  const asked = new URLSearchParams(query);
  let current = new AbortController();
  const ask = (from: URLSearchParams): Promise<Answer<'procure'>> => {
    current.abort();
    current = new AbortController();
    return call<'procure'>('/procure', {
      method: 'POST',
      body: question(from),
      signal: AbortSignal.any([signal, current.signal]),
    });
  };
  // Without limits all candidates are there: how far they reach is how far the sliders go.
  const free = new URLSearchParams(
    [...asked].filter(([name]) => !limits.some((limit) => limit.name === name)),
  );
  const candidates = await ask(free).then(
    ({ document }) => document.candidates,
    // What is wrong is told below the limits, where it can be changed.
    () => [],
  );
  showView(
    words.title,
    html`<p>${words.how}</p>
      <div class="procure">
        <form id="limits" aria-label="${words.limits}">${form(asked, candidates)}</form>
        <div id="ranking"></div>
      </div>`,
  );
  let shown = new AbortController();
  let answer = '';
  const rank = async (): Promise<void> => {
    const place = element('ranking');
    place.setAttribute('aria-busy', 'true');
    try {
      const found = await ask(asked);
      shown.abort();
      shown = new AbortController();
      show(place, sectionsOf(found.words));
      const told = place.querySelector('.answer')?.textContent ?? '';
      if (answer !== '' && told !== answer) announce(told);
      answer = told;
      await enlivened(AbortSignal.any([signal, shown.signal]));
    } catch (error) {
      if (signal.aborted || current.signal.aborted) return;
      show(place, problemMarkup(error));
    } finally {
      place.setAttribute('aria-busy', 'false');
    }
  };
  const soon = settled(() => void rank(), PAUSE, signal);
  const limitsForm = element('limits');
  limitsForm.addEventListener('submit', (event) => event.preventDefault());
  limitsForm.addEventListener('input', (event) => {
    const input = event.target as HTMLInputElement;
    twin(limitsForm, input);
    for (const [name, value] of read(limitsForm as HTMLFormElement))
      if (value === '') asked.delete(name);
      else asked.set(name, value);
    go(withQuery('/procure', Object.fromEntries(asked)), 'quietly');
    // How far the sliders go is another question with another batch.
    if (input.name !== 'batch') soon();
  });
  limitsForm.addEventListener('change', (event) => {
    if ((event.target as HTMLInputElement).name === 'batch')
      go(location.pathname + location.search, 'replace');
  });
  limitsForm.addEventListener('click', (event) => {
    if ((event.target as Element).closest('#reset') !== null) go('/procure');
  });
  await rank();
};

/** A slider and its number are one: where one is moved, the other follows, and the limit holds. */
function twin(form: HTMLElement, input: HTMLInputElement): void {
  const name = input.dataset['limit'];
  if (name === undefined) return;
  const all = form.querySelectorAll<HTMLInputElement>(`[data-limit="${name}"]`);
  if (input.type === 'checkbox') return;
  for (const other of all)
    if (other.type === 'checkbox') other.checked = input.value !== '';
    else if (other !== input && input.value !== '') other.value = input.value;
}

function read(form: HTMLFormElement): [name: string, value: string][] {
  const own = limits.map(({ name }): [string, string] => {
    const on =
      form.querySelector<HTMLInputElement>(`input[type=checkbox][data-limit="${name}"]`)?.checked === true;
    const value =
      form.querySelector<HTMLInputElement>(`input[type=number][data-limit="${name}"]`)?.value ?? '';
    return [name, on && Number(value) > 0 ? value : ''];
  });
  const others = ['quantile', 'batch', 'own', 'requests', 'years', 'price', 'peak', 'emulated'].map(
    (name): [string, string] => {
      const input = form.elements.namedItem(name);
      if (input instanceof HTMLInputElement && input.type === 'checkbox')
        return [name, input.checked ? 'true' : ''];
      if (input instanceof HTMLInputElement || input instanceof HTMLSelectElement) return [name, input.value];
      return [name, ''];
    },
  );
  const owned = others.some(([name, value]) => name === 'own' && value !== '');
  const ofOwnership = ['requests', 'years', 'price', 'peak'];
  const usual: Readonly<Record<string, string>> = { quantile: 'p50', batch: '1' };
  return [
    ...own,
    ...others.map(([name, value]): [string, string] => [
      name,
      value === usual[name] || (ofOwnership.includes(name) && !owned) ? '' : value,
    ]),
  ];
}

function question(query: URLSearchParams): unknown {
  const number = (name: string, usual: number): number => Number(query.get(name) ?? usual);
  const chosen = limits.flatMap(({ name, text }): [string, string][] => {
    const value = query.get(name);
    return value === null ? [] : [[name, text(value, query)]];
  });
  return {
    batch: number('batch', 1),
    ...(query.has('suite') ? { suite: query.get('suite') } : {}),
    // The quantile holds for what is shown, with a limit or without one.
    limits: Object.fromEntries(chosen),
    ...(query.get('own') === 'true'
      ? {
          ownership: {
            years: number('years', DEFAULTS.years),
            energyPrice: query.get('price') ?? DEFAULTS.price,
            requestsPerDay: number('requests', DEFAULTS.requests),
            peak: number('peak', DEFAULTS.peak),
          },
        }
      : {}),
    emulated: query.get('emulated') === 'true',
  };
}

const DEFAULTS = { years: 3, price: '0.32EUR', requests: 100_000, peak: 2 };

function form(query: URLSearchParams, candidates: readonly Candidate[]): Markup {
  const given = (name: string, usual: string | number = ''): string => query.get(name) ?? String(usual);
  const owned = given('own') === 'true';
  return html`<fieldset>
      <legend>${words.limits}</legend>
      ${limits.map((limit) => slider(limit, query, candidates))}
      ${select(
        'quantile',
        words.quantile,
        Object.entries(words.quantiles).map(([value, text]) => ({ value, text })),
        given('quantile', 'p50'),
      )}
      ${field('batch', words.batch, given('batch', 1), 'number')}
    </fieldset>
    <fieldset>
      <legend>${words.ownership}</legend>
      <label class="check"
        ><input type="checkbox" name="own" ${owned ? html`checked` : ''} /> ${words.owned}</label
      >
      ${field('requests', words.requests, given('requests', DEFAULTS.requests), 'number')}
      ${field('years', words.years, given('years', DEFAULTS.years), 'number')}
      ${field('price', words.price, given('price', DEFAULTS.price))}
      ${field('peak', words.peak, given('peak', DEFAULTS.peak), 'number')}
    </fieldset>
    <label class="check"
      ><input type="checkbox" name="emulated" ${given('emulated') === 'true' ? html`checked` : ''} />
      ${words.emulated}</label
    >
    <p><button type="button" id="reset">${words.reset}</button></p>`;
}

function slider(
  { name, title, of }: Limit,
  query: URLSearchParams,
  candidates: readonly Candidate[],
): Markup | undefined {
  const values = candidates.flatMap((each) => of(each) ?? []);
  const given = query.get(name);
  if (values.length === 0 && given === null) return undefined;
  const { least, most, step } = scale(values);
  const value = given ?? String(name === 'accuracy' || name === 'throughput' ? least : most);
  return html`<div class="limit">
    <label class="check"
      ><input
        type="checkbox"
        data-limit="${name}"
        aria-label="${words.use(title)}"
        ${given === null ? '' : html`checked`}
      />
      <span id="limit-${name}">${title}</span></label
    >
    <input
      type="range"
      data-limit="${name}"
      aria-label="${words.slider(title)}"
      min="${least}"
      max="${most}"
      step="${step}"
      value="${value}"
    />
    <input
      type="number"
      data-limit="${name}"
      aria-labelledby="limit-${name}"
      min="0"
      step="any"
      value="${value}"
    />
  </div>`;
}

/** From a little below the smallest to a little above the largest, in steps that people would take. */
function scale(values: readonly number[]): { least: number; most: number; step: number } {
  const [low, high] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const span = Math.max(high - low, Math.abs(high) / 10, 1e-6);
  const step = 10 ** Math.floor(Math.log10(span / 50));
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const rounded = (value: number): number => Number(value.toFixed(digits));
  return {
    least: rounded(Math.max(0, Math.floor((low - span / 20) / step) * step)),
    most: rounded(Math.ceil((high + span / 20) / step) * step),
    step: rounded(step),
  };
}
