import type { Analysis } from '../analysis.js';
import { findingsOf } from '../findings.js';
import * as format from '../format.js';
import { mainTable } from '../table.js';
import type { Exporter } from './exporter.js';

/** The main table with its notes, as a comment on a pull request takes it. */
export const markdownExporter: Exporter = {
  name: 'markdown',
  extension: 'md',
  render: (analysis) => {
    const { columns, rows, notes } = mainTable(analysis);
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
    return [
      `### EdgeFlex: ${escape(analysis.run.row.suite)}`,
      '',
      ...findingsOf(analysis).map(({ variant, text }) => `- **${escape(variant)}**: ${escape(text)}`),
      '',
      line(columns.map(({ title }) => escape(title))),
      line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
      ...rows.map((row) => line(columns.map(({ key }) => escape(row[key] ?? '')))),
      '',
      ...notes.map((note) => `- ${escape(note)}`),
      '',
      provenance(analysis),
      '',
    ].join('\n');
  },
};

function provenance({ run }: Analysis): string {
  const devices = run.devices.map(({ row, environment: { cpu, os, git } }) => {
    const commit = git
      ? `, commit ${git.commit.slice(0, 12)}${git.dirty ? ' with uncommitted changes' : ''}`
      : '';
    return `${cpu.model}, ${row.threads} threads, ${os.distribution} ${os.release} (${row.name})${commit}`;
  });
  const { id, started_at: started } = run.row;
  return `<sub>Run ${escape(id)}, ${format.moment(started)}. ${escape(devices.join('; '))}</sub>`;
}

/** A text that Markdown, the HTML in it and the formulas that GitHub adds show as it is, on one line and in one cell. */
function escape(text: string): string {
  return format
    .oneLine(text)
    .replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/[\\`*_[\]|~$]/g, (character) => `\\${character}`);
}
