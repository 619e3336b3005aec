import { figureColumns } from '../figures/columns.js';
import { figureRows } from '../figures/rows.js';
import { csvText } from './csv-text.js';
import type { Exporter } from './exporter.js';

/**
 * Every figure of a run for programs, see `figureRows`: names of columns end in their unit, `_low` and `_high` are the ends of 95 %
 * intervals, shares go from 0 to 1, and what is not known is empty. A text that a spreadsheet would take for a formula begins with an
 * apostrophe. RFC 4180.
 */
export const csvExporter: Exporter = {
  name: 'csv',
  extension: 'csv',
  render: (analysis) => csvText(figureRows(analysis), Object.keys(figureColumns)),
};
