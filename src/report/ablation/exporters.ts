import { basisText } from '../../text/basis.js';
import type { AgainstReference } from '../../analysis/ablation/against.js';
import type { AblationPanel } from '../../analysis/ablation/ablation.js';
import type { Term } from '../../analysis/ablation/terms.js';
import type { Analysis } from '../../analysis/analysis.js';
import type { Estimate } from '../../stats/interval.js';
import { againstTable } from '../../text/ablation/against.js';
import { attributionTable, effectsTable } from '../../text/ablation/table.js';
import { latexTable } from '../../text/latex.js';
import { escaped, markdownTable } from '../../text/markdown.js';
import type { Table } from '../../text/table.js';
import { terminalTable } from '../../text/terminal.js';
import { csvText, type Value } from '../exporters/csv-text.js';
import type { Screen } from '../compare/exporters/exporter.js';
import { ablationDocument, againstDocument, type AblationJson } from './document.js';

/** What the factors of a run do, and its variants against one of them. */
export interface AblationReport {
  readonly analysis: Analysis;
  /** Name of the recipe that the others are held against; undefined where nobody asked. */
  readonly reference: string | undefined;
  readonly against: readonly AgainstReference[];
}

/** A format of ablations. */
export interface AblationExporter {
  readonly name: string;
  /**
   * The ablation in this format, with a newline at its end.
   *
   * @param report - of a run
   * @param screen - the terminal it is shown on; undefined when it goes elsewhere
   */
  render(report: AblationReport, screen?: Screen): string;
}

/** The formats of ablations, the terminal's first. */
export const ablationExporters: readonly [AblationExporter, ...AblationExporter[]] = [
  {
    name: 'text',
    render: (report, screen = { colour: false, width: undefined }) => {
      const tables = tablesOf(report);
      if (tables.length === 0)
        return 'No effects can be told: too few variants of the matrix were measured.\n';
      return tables
        .map(([title, table]) => `${title}\n\n${terminalTable(table, screen.colour, screen.width)}\n`)
        .join('\n');
    },
  },
  {
    name: 'markdown',
    render: (report) =>
      tablesOf(report)
        .map(([title, table]) =>
          [
            ...[`### ${escaped(title)}`, '', ...markdownTable(table), ''],
            ...table.notes.map((note) => `- ${escaped(note)}`),
            '',
          ].join('\n'),
        )
        .join('\n'),
  },
  {
    name: 'latex',
    render: (report) =>
      tablesOf(report)
        .map(([title, table]) =>
          // Which intervals they are, the notes of the table say.
          latexTable(table, `${title}. ${basisText(report.analysis, { rounds: true, images: true })}`),
        )
        .join('\n'),
  },
  { name: 'csv', render: (report) => csvText(rowsOf(report)) },
  {
    name: 'json',
    render: ({ analysis, reference, against }) => {
      const document: AblationJson = {
        schemaVersion: 1,
        run: analysis.run.row.id,
        ...(analysis.ablation && ablationDocument(analysis.ablation)),
        reference: reference ?? null,
        against: againstDocument(against),
      };
      return `${JSON.stringify(document, null, 2)}\n`;
    },
  },
];

function tablesOf({ analysis, reference, against }: AblationReport): [title: string, table: Table][] {
  const all: [string, Table][] = [
    ['Effects of the factors', effectsTable(analysis)],
    ['Attribution of the total difference', attributionTable(analysis)],
    ...(reference === undefined
      ? []
      : [
          [`Every variant against ${reference}`, againstTable(against, reference, analysis)] satisfies [
            string,
            Table,
          ],
        ]),
  ];
  return all.filter(([, { rows }]) => rows.length > 0);
}

/**
 * One row for each effect and each attributed part: `value` with the ends of its 95 % interval is a ratio (latency, memory, file) or a
 * difference of shares (accuracy).
 */
function rowsOf({ analysis, against }: AblationReport): Record<string, Value>[] {
  const run_id = analysis.run.row.id;
  const panels = analysis.ablation?.panels ?? [];
  const rows = panels.flatMap((panel) => {
    const place = placeOf(panel);
    const { attribution } = panel;
    return [
      ...panel.effects.map(({ term, effect, p, adjustedP, significant, aliases }) => ({
        ...{ run_id, ...place, kind: term.length === 1 ? 'main effect' : 'interaction' },
        ...{ ...named(term), ...ends(effect), p, p_holm: adjustedP, significant: Number(significant) },
        aliases: aliases.map((alias) => named(alias).factors).join('; '),
      })),
      ...(attribution?.parts ?? []).map(({ part, effect }) => ({
        ...{ run_id, ...place, kind: 'attribution', ...named([part]), ...ends(effect) },
        ...{ p: undefined, p_holm: undefined, significant: undefined, aliases: undefined },
      })),
    ];
  });
  const held = against.map(({ cell: { variant, device, row }, judgement }) => {
    const shift = judgement.metric === 'accuracy' || judgement.metric === 'cosine' ? 0 : 1;
    const { value, low, high } = judgement.change;
    return {
      ...{ run_id, model: variant.model, device: device.row.name, metric: judgement.metric },
      ...{
        batch: row.kind === 'accuracy' ? undefined : row.batch,
        replicates: undefined,
        kind: 'against reference',
      },
      ...{ factors: variant.recipe, levels: undefined, references: undefined },
      ...ends({ value: value + shift, low: low + shift, high: high + shift }),
      ...{ p: judgement.p, p_holm: judgement.adjustedP, significant: Number(judgement.significant) },
      aliases: undefined,
    };
  });
  return [...rows, ...held];
}

function placeOf({ model, device, metric, batch, replicates }: AblationPanel): Record<string, Value> {
  return { model, device: device.row.name, metric, batch, replicates: replicates.kind };
}

function named(term: Term): Record<'factors' | 'levels' | 'references', string> {
  const joined = (key: 'factor' | 'level' | 'reference'): string => term.map((part) => part[key]).join(' × ');
  return { factors: joined('factor'), levels: joined('level'), references: joined('reference') };
}

function ends({ value, low, high }: Estimate): Record<'value' | 'low' | 'high', number> {
  return { value, low, high };
}
