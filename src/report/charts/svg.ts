import type { Chart } from './chart.js';

/**
 * Renders a chart as a picture of its own.
 *
 * @param chart - the chart
 * @param titled - whether its title is in the picture, and not beside it
 * @returns an SVG document
 * @throws Error when Vega cannot draw the spec
 */
export async function renderSvg({ spec, title }: Chart, titled = true): Promise<string> {
  // Loaded here because it takes a third of a second that no command but a report's should spend.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new View(parse(compile(titled ? { ...spec, title } : spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
