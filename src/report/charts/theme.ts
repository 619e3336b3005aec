import { defined } from '../../base/defined.js';
import type { Config } from 'vega-lite';
import { LINKED } from './linked.js';

/** Grey of what is only there to compare with. */
export const REFERENCE = '#b8b8b8';
/** A step that makes a model smaller, or the usual bar where there is only one kind. */
export const BETTER = '#0072b2';
/** A step that makes a model larger. */
export const WORSE = '#d55e00';
/** Text beside marks. */
export const INK = '#333333';

/**
 * Colours that people with any kind of colour vision can tell apart on white (Okabe & Ito, 2008; yellow, too pale for thin
 * marks, replaced). The first, nearly black, is the baseline's.
 */
export const palette = [
  '#333333',
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#7f6bb3',
] as const;

/** Shapes that tell variants apart when the colours are used up. */
const shapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down'] as const;

/** Colours of consecutive steps of one thing, from early to late. */
export const steps = ['#9ecae1', '#56b4e9', '#0072b2', '#08306b'] as const;

/** The same for lines: lengths of dashes and gaps, in pixels. */
const dashes = [
  [1, 0],
  [5, 3],
  [2, 2],
  [8, 2, 2, 2],
];

/** The colour of a series by its place among all, from the start again where there are more. */
export function colourAt(index: number): string {
  return around(palette, index);
}

function around<Value>(values: readonly Value[], index: number): Value {
  return defined(values[index % values.length], 'a value of the theme');
}

/** Which value of a nominal channel each series has. */
export interface SeriesScale<Value = string> {
  domain: string[];
  range: Value[];
}

/**
 * Colours of series, from the start again where there are more.
 *
 * @param series - all series of the report, so that each has the same colour in every chart
 * @param shown - the ones that a chart shows
 */
export function colourScale(series: readonly string[], shown = series): SeriesScale {
  return seriesScale(series, shown, colourAt);
}

/** Shapes of series: others for those that share a colour. Parameters as for `colourScale`. */
export function shapeScale(series: readonly string[], shown = series): SeriesScale {
  return seriesScale(series, shown, (index) => around(shapes, Math.floor(index / palette.length)));
}

/** Dashes of series drawn as lines: others for those that share a colour. Parameters as for `colourScale`. */
export function dashScale(series: readonly string[], shown = series): SeriesScale<number[]> {
  return seriesScale(series, shown, (index) => around(dashes, Math.floor(index / palette.length)));
}

function seriesScale<Value>(
  series: readonly string[],
  shown: readonly string[],
  valueOf: (index: number) => Value,
): SeriesScale<Value> {
  return { domain: [...shown], range: shown.map((name) => valueOf(series.indexOf(name))) };
}

/** Declares the variant that is looked at; at the top of a spec. */
export const linkedParam = { name: LINKED, value: '' };

/** Whether a mark is of the variant that is looked at; data call it `series`, or `variant` where that is the same. */
const isLookedAt = `${LINKED} === '' || datum.series === ${LINKED} || datum.variant === ${LINKED}`;

/**
 * How strongly marks are drawn: those of the variant that is looked at, and of those chosen in the legend, as usual, the others faintly.
 *
 * @param usual - opacity
 * @param legend - the name of the parameter that the legend sets, where there is one
 */
export function emphasis(
  usual: number,
  legend?: string,
): {
  condition: { test: string | { and: [string, { param: string }] }; value: number };
  value: number;
} {
  const test =
    legend === undefined
      ? isLookedAt
      : { and: [isLookedAt, { param: legend }] as [string, { param: string }] };
  return { condition: { test, value: usual }, value: 0.1 };
}

/** How all charts look: on white, in the page as well as in a file of their own. */
export const config: Config = {
  background: '#ffffff',
  font: 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  padding: 8,
  view: { stroke: '#d0d0d0' },
  // Vega-Lite filters each layer by itself otherwise, and then warns of layers with different data.
  mark: { invalid: 'show' },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 600,
    titlePadding: 8,
    labelColor: INK,
    titleColor: INK,
    gridColor: '#e8e8e8',
    domainColor: '#999999',
    tickColor: '#999999',
    labelLimit: 320,
  },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 600,
    labelColor: INK,
    titleColor: INK,
    labelLimit: 320,
    titleLimit: 320,
    symbolStrokeWidth: 2,
  },
  header: { labelFontSize: 13, labelFontWeight: 600, labelColor: INK, labelLimit: 480 },
  title: { fontSize: 16, subtitleFontSize: 12, anchor: 'start', color: INK, subtitleColor: '#555555' },
};

/** Schema that every spec names, so that it can be read elsewhere. */
export const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/**
 * How many panels stand side by side, and how wide each is, in pixels.
 *
 * @param panels - how many there are
 */
export function panelLayout(panels: number): { columns: number; width: number } {
  // With the legend beside it as wide as a column of the page is on most screens.
  if (panels <= 1) return { columns: 1, width: 400 };
  if (panels === 2 || panels === 4) return { columns: 2, width: 400 };
  return { columns: 3, width: 260 };
}
