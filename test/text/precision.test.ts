import { describe, expect, it } from 'vitest';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { mainTable } from '../../src/text/table.js';
import type { Stopping } from '../../src/store/stopping.js';
import { useFolder } from '../support/folder.js';
import { parseCsv } from '../report/support/csv.js';
import { storedExample } from '../analysis/support/stored.js';

const folder = useFolder();

/** The example as a run for a precision leaves it. */
async function stoppedExample(of: Readonly<Record<string, Stopping>>) {
  const { analysis } = await storedExample(folder('stopped.sqlite'), { smooth: true }, (database) => {
    for (const [cell, stopping] of Object.entries(of)) {
      const [recipe, batch] = cell.split(' ');
      database
        .prepare(
          `update cells set stopping_json = ? where kind = 'performance' and batch = ? and
           variant_id in (select id from variants where recipe = ?)`,
        )
        .run(JSON.stringify(stopping), batch, recipe);
    }
  });
  return analysis;
}

const reached = { reason: 'precision', asked: 0.01, reached: 0.0083 } as const;
const capped = { reason: 'cap', asked: 0.01, reached: 0.0214 } as const;
const untold = { reason: 'cap', asked: 0.01, reached: null } as const;

describe('a run for a precision', () => {
  it('says of each cell how well its speed is known, and of all of them which are not known well enough', async () => {
    const analysis = await stoppedExample({
      ...{ 'int8 1': reached, 'int8 8': capped, 'pruned 1': reached, 'pruned 8': untold },
    });
    const { columns, rows, notes } = mainTable(analysis);
    expect(columns.map(({ key }) => key)).toContain('precision');
    expect(rows.map(({ precision }) => precision)).toEqual([
      ...['', '', '0.83 % (5)', '2.1 % (5, cap)', '0.83 % (5)', '– (5, cap)'],
    ]);
    expect(notes).toContain(
      'Rounds were added until the 95 % interval of each speed was ±1.0 %, or the cap was reached: 2 of 4 reached that; ' +
        'not int8, batch 8 (± 2.1 %); pruned, batch 8 (too few undisturbed rounds to tell).',
    );
    const { results } = reportDocument(analysis);
    expect(results.map(({ performance }) => performance.map(({ stopping }) => stopping))).toEqual([
      [null, null],
      [reached, capped],
      [reached, untold],
    ]);
    const csv = parseCsv(await csvExporter.render(analysis));
    const names = ['stopping_reason', 'precision_asked_share', 'precision_reached_share'];
    expect(csv.map((row) => names.map((name) => row[name]))).toEqual([
      ...[
        ['', '', ''],
        ['', '', ''],
      ],
      ...[
        ['precision', '0.01', '0.0083'],
        ['cap', '0.01', '0.0214'],
      ],
      ...[
        ['precision', '0.01', '0.0083'],
        ['cap', '0.01', ''],
      ],
    ]);
  });

  it('that got there everywhere says so', async () => {
    const analysis = await stoppedExample({ 'int8 1': reached });
    const { notes } = mainTable(analysis);
    expect(notes).toContain(
      'Rounds were added until the 95 % interval of each speed was ±1.0 %: all reached that.',
    );
  });

  it('is not spoken of where none was asked for', async () => {
    const { columns, notes } = mainTable(await stoppedExample({}));
    expect(columns.map(({ key }) => key)).not.toContain('precision');
    expect(notes.join()).not.toContain('Rounds were added');
  });
});
