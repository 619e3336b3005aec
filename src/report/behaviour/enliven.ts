import type { EmbedOptions } from 'vega-embed';
import { drawCharts, type ChartSpec, type Embed } from './charts.js';
import { SPECS_ID, TOOLS_ID, VALUES_ID } from './ids.js';
import { SeriesLink } from './link.js';
import { watchScrolling } from './scroll.js';
import { enableTable, type RowValues } from './table.js';

/** The library of the charts. */
export interface Drawing {
  /** Called where there are charts. */
  readonly embed: () => Promise<Embed>;
  /** Options beside those that every page has. */
  readonly options?: EmbedOptions;
}

/**
 * Brings the parts of a report in the page to life: its charts, its main table, and the link between them.
 *
 * @param drawing - the library of the charts
 * @param signal - ends what it started, when the page shows something else
 */
export async function enliven({ embed, options }: Drawing, signal?: AbortSignal): Promise<void> {
  const link = new SeriesLink();
  const table = document.querySelector<HTMLTableElement>('.main-table');
  const tools = document.getElementById(TOOLS_ID);
  if (table !== null && tools !== null)
    enableTable({ table, tools, values: (keptAt(VALUES_ID) ?? []) as RowValues[] }, link, signal);
  watchScrolling(signal);
  const charts = (keptAt(SPECS_ID) ?? []) as ChartSpec[];
  if (charts.length === 0) return;
  const drawn = await drawCharts(charts, link, await embed(), options);
  if (signal?.aborted === true) for (const each of drawn) each.finalize();
  signal?.addEventListener('abort', () => {
    for (const each of drawn) each.finalize();
  });
}

/** What the page keeps as JSON in an element of its own, which EdgeFlex wrote. */
function keptAt(id: string): unknown {
  const text = document.getElementById(id)?.textContent;
  return text === undefined ? undefined : JSON.parse(text);
}
