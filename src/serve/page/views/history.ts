import { html } from '../../../report/html/markup.js';
import { historyPage as words } from '../../../text/dashboard/analyses.js';
import { metricNames } from '../../../text/history/words.js';
import { call } from '../api.js';
import { element, show } from '../dom.js';
import { withQuery } from '../links.js';
import type { View } from '../page.js';
import { empty, field, problemMarkup, select } from '../parts.js';
import { enlivened, sectionsOf } from '../report.js';

/** The figures of a model on a device from run to run, with change points. */
export const history: View = async ({ query, signal, show: showView, go }) => {
  const value = (name: string): string => query.get(name) ?? '';
  const [{ models }, { devices }] = await Promise.all([
    call<'models'>('/models', { signal }),
    call<'devices'>('/devices', { signal }),
  ]);
  if (models.length === 0) {
    showView(words.title, empty(words.none));
    return;
  }
  const model = value('model') || (models[0]?.name ?? '');
  const any = { value: '', text: words.any };
  const named = (names: readonly string[]): { value: string; text: string }[] =>
    names.map((name) => ({ value: name, text: name }));
  const variants = models.find(({ name }) => name === model)?.variants.map(({ recipe }) => recipe) ?? [];
  showView(
    words.title,
    html`<form id="history-form" class="filters" aria-label="${words.filters}">
        ${select('model', words.model, named(models.map(({ name }) => name)), model)}
        ${select('device', words.device, [any, ...named(devices.map(({ name }) => name))], value('device'))}
        ${select('variant', words.variant, [any, ...named(variants)], value('variant'))}
        ${select('metric', words.metric, [any, ...Object.entries(metricNames).map(([metric, text]) => ({ value: metric, text }))], value('metric'))}
        <span id="suites"></span>
        ${field('branch', words.branch, value('branch'), 'text', words.branchHint)}
        <button type="submit" class="main">${words.apply}</button>
      </form>
      <div id="history"></div>`,
  );
  element('history-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const texts = [...given].map(([name, each]) => [name, typeof each === 'string' ? each.trim() : '']);
    go(withQuery('/history', Object.fromEntries(texts) as Record<string, string>));
  });
  const place = element('history');
  show(place, html`<p class="empty" aria-busy="true">${words.loading}</p>`);
  try {
    const found = await call<'history'>('/history', {
      query: { ...Object.fromEntries(query), model },
      signal,
    });
    if (signal.aborted) return;
    show(element('suites'), select('suite', words.suite, named(found.suites), found.suite));
    show(
      place,
      html`<p class="soft">
          ${words.of(found.suite)}${found.older > 0 ? `. ${words.older(found.older)}` : ''}
        </p>
        ${sectionsOf(found.words)}`,
    );
    await enlivened(signal);
  } catch (error) {
    if (!signal.aborted) show(place, problemMarkup(error));
  }
};
