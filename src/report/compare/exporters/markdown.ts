import * as format from '../../../text/format.js';
import { escaped, markdownTable } from '../../../text/markdown.js';
import { differenceText } from '../../../text/compare/obstacles.js';
import { changeSentence, gateSentence, headline, isChange } from '../../../text/compare/summary.js';
import { comparisonTable } from '../../../text/compare/table.js';
import type { ComparisonReport } from '../../../analysis/compare/gates.js';
import type { ComparisonExporter } from './exporter.js';

/** For a comment on a pull request: what changed at the top, every figure folded below it. */
export const markdownComparisonExporter: ComparisonExporter = {
  name: 'markdown',
  render: (report) => {
    const { comparison, gates } = report;
    const table = comparisonTable(report);
    const changed = [
      ...comparison.compared.filter(isChange('worse')),
      ...comparison.compared.filter(isChange('better')),
    ];
    const open = gates.filter(({ outcome }) => outcome !== 'held');
    return [
      `### EdgeFlex: ${escaped(comparison.run.row.suite)}`,
      '',
      `**${escaped(headline(report))}**`,
      '',
      ...warnings(report),
      ...open.map(
        (result) => `- ${result.outcome === 'broken' ? '❌' : '❔'} ${escaped(gateSentence(result, report))}`,
      ),
      ...changed.map(
        (each) => `- ${isChange('worse')(each) ? '🔺' : '🔽'} ${escaped(changeSentence(each, report))}`,
      ),
      '',
      `<details><summary>All ${comparison.compared.length} figures</summary>`,
      '',
      ...markdownTable(table),
      '',
      ...table.notes.map((note) => `- ${escaped(note)}`),
      '',
      '</details>',
      '',
      provenance(report),
      '',
    ].join('\n');
  },
};

function warnings({ comparison }: ComparisonReport): string[] {
  const lines = comparison.forced.map(
    (each) => `> ⚠️ Compared although they differ: ${escaped(differenceText(each))}`,
  );
  return lines.length > 0 ? [...lines.flatMap((line) => [line, '>']).slice(0, -1), ''] : [];
}

function provenance({ comparison: { reference, run } }: ComparisonReport): string {
  const of = ({ row }: typeof run): string => `${escaped(row.id)} of ${format.moment(row.started_at)}`;
  return `<sub>Run ${of(run)} against ${of(reference)}</sub>`;
}
