import type { ColumnDescriptions } from '../store/description.js';
import { describedTables } from '../store/described-tables.js';
import { views } from '../store/views/list.js';
import { figureColumns } from './figures/columns.js';
import { markdownRows } from './reference.js';

/** Every view and table of the results database, and every column of exported figures, as Markdown. */
export function databaseReference(): string {
  const sections = [
    '# The results database',
    'Written by `npm run docs` from the views and tables themselves (`src/store/views/`, `src/store/described-tables.ts`). Results are in `edgeflex.db` in the results folder, an SQLite database. `edgeflex query` reads it, as does any SQLite client of version 3.38 or later with mathematical functions; the views are stable, the tables below them may change ([what is stable](../stability.md)). Intervals are 95 % intervals, shares and ratios are plain numbers, and times are ISO 8601 in UTC. "Or null" marks columns that can be null.',
    '## Views',
    'Each view answers a question, and gives the same figures as the reports: rounds that other processes disturbed are left out, and ratios compare the same rounds.',
    markdownRows([['view', 'question'], ...views.map(({ name, question }) => [`\`${name}\``, question])]),
    ...views.map(({ name, question, note, columns }) =>
      [`### ${name}`, question, ...(note === undefined ? [] : [note]), columnTable(columns)].join('\n\n'),
    ),
    '## Tables',
    'What was measured, as it was measured: everything else is computed from it. Columns ending in `_json` are JSON texts.',
    markdownRows([
      ['table', 'a row is'],
      ...Object.entries(describedTables).map(([name, { meaning }]) => [`\`${name}\``, meaning]),
    ]),
    ...Object.entries(describedTables).map(([name, { meaning, columns }]) =>
      [`### ${name}`, meaning, columnTable(columns)].join('\n\n'),
    ),
    '## Parquet and CSV',
    '`edgeflex export --parquet <folder>` writes `runs`, `devices`, `cells`, `rounds`, `samples` and `predictions`, with the columns of the views of those names, and `figures`. The metadata of each file has the type, unit and meaning of every column (`edgeflex.columns`, JSON) and the version of the layout (`edgeflex.schema`). `figures.parquet` has the same columns as `report.parquet` and `report.csv` of a run, one row per variant, device and batch size:',
    columnTable(figureColumns),
  ];
  return sections.join('\n\n');
}

function columnTable(columns: ColumnDescriptions): string {
  return markdownRows([
    ['column', 'type', 'unit', 'meaning'],
    ...Object.entries(columns).map(([name, { type, unit = '', meaning, mayBeNull }]) => [
      `\`${name}\``,
      mayBeNull ? `${type} or null` : type,
      unit,
      meaning,
    ]),
  ]);
}
