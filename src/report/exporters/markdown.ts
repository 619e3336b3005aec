import type { Analysis } from '../../analysis/analysis.js';
import { findingsOf } from '../../text/findings.js';
import * as format from '../../text/format.js';
import { deviceLabel } from '../../analysis/label.js';
import { attributionTable, effectsTable } from '../../text/ablation/table.js';
import { limitsTable } from '../../text/limits.js';
import { escaped, markdownTable } from '../../text/markdown.js';
import { loadTable } from '../../text/load.js';
import { refitTable } from '../../text/refit.js';
import { mainTable, type Table } from '../../text/table.js';
import { takeoverText } from '../../text/takeover.js';
import type { Exporter } from './exporter.js';

/** The main table with its notes, as a comment on a pull request takes it. */
export const markdownExporter: Exporter = {
  name: 'markdown',
  extension: 'md',
  render: (analysis) => {
    const table = mainTable(analysis);
    return [
      `### EdgeFlex: ${escaped(analysis.run.row.suite)}`,
      '',
      ...findingsOf(analysis).map(({ variant, text }) => `- **${escaped(variant)}**: ${escaped(text)}`),
      '',
      ...markdownTable(table),
      '',
      ...table.notes.map((note) => `- ${escaped(note)}`),
      '',
      ...section('Ablation', effectsTable(analysis)),
      ...section('Attribution of the total difference', attributionTable(analysis)),
      ...section('What a new head gives', refitTable(analysis)),
      ...section('Under load', loadTable(analysis)),
      ...section('How far from the limit', limitsTable(analysis)),
      provenance(analysis),
      '',
    ].join('\n');
  },
};

/** A further table; nothing where it has no rows. */
function section(title: string, table: Table): string[] {
  if (table.rows.length === 0) return [];
  return [
    `#### ${title}`,
    '',
    ...markdownTable(table),
    '',
    ...table.notes.map((note) => `- ${escaped(note)}`),
    '',
  ];
}

function commitText(git: Analysis['run']['devices'][number]['environment']['git']): string {
  if (git === null) return '';
  if ('untold' in git) return ', commit unknown';
  return `, commit ${git.commit.slice(0, 12)}${git.dirty ? ' with uncommitted changes' : ''}`;
}

function provenance({ run }: Analysis): string {
  const devices = run.devices.map((device) => {
    const {
      row,
      environment: { cpu, os, git },
    } = device;
    return `${cpu.model}, ${row.threads} threads, ${os.distribution} ${os.release} (${deviceLabel(device)})${takeoverText(device)}${commitText(git)}`;
  });
  const { id, started_at: started } = run.row;
  return `<sub>Run ${escaped(id)}, ${format.moment(started)}. ${escaped(devices.join('; '))}</sub>`;
}
