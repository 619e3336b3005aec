import type { Analysis } from '../../analysis/analysis.js';
import { reportDocument } from '../document.js';
import type { Exporter } from './exporter.js';

/** Every figure with its interval, for programs: see `ReportDocument`. */
export const jsonExporter: Exporter = {
  name: 'json',
  extension: 'json',
  render: (analysis: Analysis) => `${JSON.stringify(reportDocument(analysis), null, 2)}\n`,
};
