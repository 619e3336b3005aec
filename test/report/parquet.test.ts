import { writeFile } from 'node:fs/promises';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { beforeEach, describe, expect, it } from 'vitest';
import { exportRuns } from '../../src/library/export.js';
import { figureColumns } from '../../src/report/figures/columns.js';
import { figureRows } from '../../src/report/figures/rows.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { parquetExporter } from '../../src/report/exporters/parquet.js';
import { openParquet, parquetBytes } from '../../src/report/parquet/file.js';
import { orNull, real, text, whole, type ColumnDescriptions } from '../../src/store/description.js';
import { storedExample, type Stored } from '../analysis/support/stored.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { parseCsv } from './support/csv.js';

const folder = useFolder();
let stored: Stored;

beforeEach(async () => {
  stored = await storedExample(folder('results', 'edgeflex.db'), { devices: ['laptop', 'board'] });
});

interface Read {
  readonly rows: Record<string, unknown>[];
  readonly types: Readonly<Record<string, string | undefined>>;
  readonly metadata: Readonly<Record<string, string | undefined>>;
}

/** Reads a Parquet file with a library that did not write it. */
async function read(path: string): Promise<Read> {
  const buffer = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(buffer);
  return {
    rows: await parquetReadObjects({ file: buffer, metadata }),
    types: Object.fromEntries(
      parquetSchema(metadata).children.map(({ element }) => [
        element.name,
        element.converted_type ?? element.type,
      ]),
    ),
    metadata: Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value])),
  };
}

describe('an export', () => {
  it('has every sample, prediction, round, cell and run, to the last bit', async () => {
    const files = await exportRuns(folder('results'), folder('out'));
    const { database } = stored;
    for (const name of ['runs', 'devices', 'cells', 'rounds', 'samples', 'predictions']) {
      const { rows, types } = await read(folder('out', `${name}.parquet`));
      const raw = database.prepare(`select * from v_${name}`).all() as Record<string, unknown>[];
      const plain = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([key, value]) => [
            key,
            typeof value === 'bigint' || typeof value === 'boolean'
              ? Number(value)
              : value instanceof Date
                ? value.toISOString()
                : value,
          ]),
        ),
      );
      const order = (all: Record<string, unknown>[]): string[] =>
        all.map((row) => JSON.stringify(row)).sort();
      expect(order(plain), name).toEqual(order(raw));
      expect(files.find(({ file }) => file === `${name}.parquet`)?.rows).toBe(raw.length);
      expect(types['run_id'], name).toBe('UTF8');
    }
    const { types, metadata } = await read(folder('out', 'samples.parquet'));
    expect(types).toMatchObject({ cell_id: 'INT64', latency_ms: 'DOUBLE' });
    expect(metadata['edgeflex.kind']).toBe('samples');
    const columns = JSON.parse(metadata['edgeflex.columns'] ?? '') as ColumnDescriptions;
    expect(columns['latency_ms']).toMatchObject({ unit: 'ms', type: 'real' });
  });

  it('has the figures of the analysis, typed, with null for what is not known', async () => {
    await exportRuns(folder('results'), folder('out'), { runs: ['exam'] });
    const { rows, types } = await read(folder('out', 'figures.parquet'));
    const expected = figureRows(stored.analysis);
    expect(rows).toHaveLength(expected.length);
    for (const [index, row] of rows.entries())
      for (const [name, { type }] of Object.entries(figureColumns)) {
        const value = expected[index]![name] ?? null;
        const typed =
          value === null || type === 'real' || type === 'text'
            ? value
            : type === 'flag'
              ? value === 1
              : BigInt(value);
        expect(row[name], `${name} of row ${index}`).toEqual(Number.isNaN(typed) ? null : typed);
      }
    expect(types).toMatchObject({
      synthetic: 'BOOLEAN',
      batch: 'INT64',
      speedup_ratio: 'DOUBLE',
      tier: 'UTF8',
    });
  });

  it('replaces an earlier export, but no file of another, and refuses a run that is not there', async () => {
    await exportRuns(folder('results'), folder('out'));
    await exportRuns(folder('results'), folder('out'), { runs: ['example'] });
    await writeFile(folder('out', 'runs.parquet'), 'mine');
    expect(await refusalOf(() => exportRuns(folder('results'), folder('out')))).toMatchObject({
      source: folder('out', 'runs.parquet'),
    });
    await exportRuns(folder('results'), folder('out'), { force: true });
    expect((await read(folder('out', 'runs.parquet'))).rows).toHaveLength(1);
    expect(
      await refusalOf(() => exportRuns(folder('results'), folder('out'), { runs: ['none'] })),
    ).toMatchObject({
      found: 'none',
    });
  });
});

describe('the figures of a report', () => {
  it('have the same columns, described, as CSV and as Parquet', async () => {
    const { analysis } = stored;
    const [csv] = parseCsv(await csvExporter.render(analysis));
    expect(Object.keys(csv!)).toEqual(Object.keys(figureColumns));
    for (const row of figureRows(analysis)) expect(Object.keys(row)).toEqual(Object.keys(figureColumns));
    await writeFile(folder('report.parquet'), await parquetExporter.render(analysis));
    const { rows, types } = await read(folder('report.parquet'));
    expect(rows).toHaveLength(figureRows(analysis).length);
    expect(Object.keys(types)).toEqual(Object.keys(figureColumns));
  });
});

describe('a Parquet file', () => {
  const columns = { name: text('A name.'), count: whole('A count.'), value: orNull(real('A value.', 'ms')) };
  const kind = { name: 'things', columns, version: '1.2.3' };

  it('may be written in parts, or have no rows at all', async () => {
    const file = await openParquet(folder('parts.parquet'), kind);
    file.add([{ name: 'a', count: 2 ** 40, value: null }]);
    file.add([]);
    file.add([
      { name: 'ü', count: 0, value: -0.5 },
      { name: '', count: 1, value: NaN },
    ]);
    file.close();
    expect((await read(folder('parts.parquet'))).rows).toEqual([
      { name: 'a', count: 2n ** 40n, value: null },
      { name: 'ü', count: 0n, value: -0.5 },
      { name: '', count: 1n, value: null },
    ]);
    await writeFile(folder('none.parquet'), await parquetBytes(kind, []));
    const none = await read(folder('none.parquet'));
    expect([none.rows, Object.keys(none.types)]).toEqual([[], ['name', 'count', 'value']]);
  });

  it('is not written with a value of another type, or without one where there must be one', async () => {
    for (const row of [
      { name: 1, count: 1 },
      { name: 'a', count: 1.5 },
      { name: 'a' },
      { name: 'a', count: 1, value: 'x' },
    ])
      await expect(parquetBytes(kind, [row])).rejects.toThrow(RangeError);
  });
});
