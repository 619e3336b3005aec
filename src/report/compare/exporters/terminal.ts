import { wrapped } from '../../../base/wrap.js';
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
    const sentence = (text: string): string[] => wrapped(oneLine(text), screen?.width ?? Infinity, '  ');
    const lines = [
      ...sentence(`${run.row.id} against ${reference.row.id} (${run.row.suite})`),
      ...sentence(headline(report)),
      '',
      terminalTable(comparisonTable(report), screen?.colour ?? false, screen?.width),
    ];
    if (decided.length > 0)
      lines.push('', ...decided.flatMap((result) => sentence(gateSentence(result, report))));
    return `${lines.join('\n')}\n`;
  },
};
