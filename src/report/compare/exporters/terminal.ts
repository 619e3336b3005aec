import { wrapped } from '../../../base/wrap.js';
import { oneLine } from '../../../text/format.js';
import { terminalTable } from '../../../text/terminal.js';
import { headline, openGates } from '../../../text/compare/summary.js';
import { comparisonTable } from '../../../text/compare/table.js';
import type { ComparisonExporter } from './exporter.js';

/** The table and what it says, for a terminal. */
export const terminalExporter: ComparisonExporter = {
  name: 'terminal',
  render: (report, screen) => {
    const { reference, run } = report.comparison;
    const open = openGates(report);
    const sentence = (text: string): string[] => wrapped(oneLine(text), screen?.width ?? Infinity, '  ');
    const lines = [
      ...sentence(`${run.row.id} against ${reference.row.id} (${run.row.suite})`),
      ...sentence(headline(report)),
      '',
      terminalTable(comparisonTable(report), screen?.colour ?? false, screen?.width),
    ];
    if (open.length > 0) lines.push('', ...open.flatMap(({ text }) => sentence(text)));
    return `${lines.join('\n')}\n`;
  },
};
