import { picturedCharts } from '../charts/pictured.js';
import { page } from '../html/page.js';
import type { Exporter } from './exporter.js';

/** A page for people: offline, in one file. */
export const htmlExporter: Exporter = {
  name: 'html',
  extension: 'html',
  render: async (analysis) => page(analysis, await picturedCharts(analysis)),
};
