import type { Chart } from './chart.js';

/**
 * Renders a chart as a picture of its own, with its title.
 *
 * @param chart - the chart
 * @returns an SVG document
 * @throws Error when Vega cannot draw the spec
 */
export async function renderSvg({ spec, title }: Chart): Promise<string> {
  // Loaded here because it takes a third of a second that no command but a report's should spend.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile({ ...spec, title }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
