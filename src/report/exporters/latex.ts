import { basisText, MEASURED_AND_SCORED } from '../../text/basis.js';
import { latexTable } from '../../text/latex.js';
import { mainTable, type Table } from '../../text/table.js';
import type { Exporter } from './exporter.js';

/** Columns that can be spared before this one are not in a paper's table. */
const LEAST_SPARE = 8;

/** The main table for a paper: its most important columns, with a caption that says what it rests on. */
export const latexExporter: Exporter = {
  name: 'latex',
  extension: 'tex',
  render: (analysis) =>
    latexTable(
      narrowed(mainTable(analysis)),
      `Results of the suite ${analysis.run.row.suite}. ${basisText(analysis, MEASURED_AND_SCORED)}`,
      'tab:edgeflex',
    ),
};

function narrowed({ columns, rows, notes }: Table): Table {
  return { columns: columns.filter(({ spare }) => (spare ?? Infinity) >= LEAST_SPARE), rows, notes };
}
