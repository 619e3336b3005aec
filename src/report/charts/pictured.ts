import type { Analysis } from '../../analysis/analysis.js';
import type { Chart } from './chart.js';
import { chartsOf } from './list.js';
import { renderSvg } from './svg.js';

/** A chart and its picture. */
export interface PicturedChart {
  readonly chart: Chart;
  /** An SVG document. */
  readonly svg: string;
}

/** Pictures are drawn once for each analysis: the page and the files show the same ones. */
const drawn = new WeakMap<Analysis, Promise<PicturedChart[]>>();

/**
 * The charts of a run with their pictures.
 *
 * @param analysis - of the run
 * @throws Error when Vega cannot draw a chart
 */
export function picturedCharts(analysis: Analysis): Promise<PicturedChart[]> {
  const known = drawn.get(analysis);
  if (known) return known;
  const charts = drawAll(chartsOf(analysis));
  drawn.set(analysis, charts);
  return charts;
}

/**
 * Draws charts.
 *
 * @param charts - in order
 * @param titled - whether their titles are in the pictures, and not beside them
 * @throws Error when Vega cannot draw one
 */
export async function drawAll(charts: readonly Chart[], titled = true): Promise<PicturedChart[]> {
  const pictured: PicturedChart[] = [];
  for (const chart of charts) pictured.push({ chart, svg: await renderSvg(chart, titled) });
  return pictured;
}
