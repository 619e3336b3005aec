import type { EmbedOptions, Result, VisualizationSpec } from 'vega-embed';
import { LINKED } from '../charts/linked.js';
import type { SeriesLink } from './link.js';

/** A chart by the name of its figure. */
export interface ChartSpec {
  readonly id: string;
  readonly spec: VisualizationSpec;
}

/** The library that draws: vega-embed's only function. */
export type Embed = (element: HTMLElement, spec: VisualizationSpec, options: EmbedOptions) => Promise<Result>;

/** Expressions are interpreted, so that the page runs under a policy that forbids code from text. */
const base: EmbedOptions = {
  mode: 'vega-lite',
  renderer: 'svg',
  ast: true,
  actions: { export: true, source: false, compiled: false, editor: false },
};

/**
 * Draws each chart into its figure, in the place of the picture where there is one, and lets it show which variant is looked at. A chart
 * that cannot be drawn leaves the picture.
 *
 * @param charts - what to draw
 * @param link - of the variants in the page
 * @param embed - the library
 * @param more - options beside those that every page has
 * @returns what was drawn: `finalize` of each ends it
 */
export async function drawCharts(
  charts: readonly ChartSpec[],
  link: SeriesLink,
  embed: Embed,
  more: EmbedOptions = {},
): Promise<Result[]> {
  const drawn = charts.map(async ({ id, spec }) => {
    const place = document.querySelector(`#${CSS.escape(id)} .picture`);
    if (place === null) return [];
    const label = place.getAttribute('data-label') ?? '';
    const chart = document.createElement('div');
    chart.className = 'chart';
    try {
      const result = await embed(chart, spec, { ...base, ...more, downloadFileName: id });
      chart.querySelector('svg.marks')?.setAttribute('aria-label', label);
      chart.querySelector('summary')?.setAttribute('aria-label', 'Save this chart');
      place.replaceChildren(chart);
      follow(result, spec, link);
      return [result];
    } catch (error) {
      console.error(`chart ${id}:`, error);
      return [];
    }
  });
  return (await Promise.all(drawn)).flat();
}

function follow({ view }: Result, spec: VisualizationSpec, link: SeriesLink): void {
  const params: readonly { readonly name: string }[] = 'params' in spec ? (spec.params ?? []) : [];
  if (!params.some(({ name }) => name === LINKED)) return;
  view.addEventListener('mouseover', (_, item) => {
    const pointed = seriesOf(item?.datum);
    if (typeof pointed === 'string') link.lookAt({ pointed });
  });
  view.addEventListener('mouseout', () => link.lookAt({ pointed: '' }));
  link.onSeries((name) => void view.signal(LINKED, name).runAsync());
}

function seriesOf(datum: unknown): unknown {
  if (typeof datum !== 'object' || datum === null) return undefined;
  const { series, variant } = datum as Readonly<Record<string, unknown>>;
  return series ?? variant;
}
