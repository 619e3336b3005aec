import { oneLine } from '../../../text/format.js';
import { terminalTable } from '../../../text/terminal.js';
import { gateSentence, headline } from '../../../text/compare/summary.js';
import { comparisonTable } from '../../../text/compare/table.js';
import type { ComparisonExporter } from './exporter.js';

/** The table and what it says, for a terminal. */
export const terminalExporter: ComparisonExporter = {
  name: 'terminal',
  render: (report, screen) => {
    const { reference, run } = report.comparison;
    const decided = report.gates.filter(({ outcome }) => outcome !== 'held');
    const lines = [
      `${run.row.id} against ${reference.row.id} (${run.row.suite})`,
      headline(report),
      '',
      terminalTable(comparisonTable(report), screen?.colour ?? false, screen?.width),
    ];
    if (decided.length > 0) lines.push('', ...decided.map((result) => oneLine(gateSentence(result, report))));
    return `${lines.join('\n')}\n`;
  },
};
