import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/analysis/analysis.js';
import { writeReport } from '../../src/report/write.js';
import { useFolder } from '../support/folder.js';
import { withoutWriting } from '../support/permissions.js';
import { refusalOf } from '../support/refusal.js';
import { storedExample } from '../analysis/support/stored.js';

const folder = useFolder();

/** A run of fp32 alone: the fastest to draw. */
async function example(id = 'example'): Promise<Analysis> {
  const { analysis } = await storedExample(folder('results.sqlite'), { id, smooth: true }, (database) => {
    database.exec(`pragma foreign_keys = on; delete from variants where recipe != 'fp32'`);
  });
  return analysis;
}

const charts = [
  ...[
    'accuracy-latency.svg',
    'captions.md',
    'kernel-shares.svg',
    'latency-distribution.svg',
    'memory-phases.svg',
  ],
];

describe('the report of a run', () => {
  it('is written in every format, with its charts, into a folder of its own that is made', async () => {
    const page = await writeReport(await example(), folder('deep', 'reports'));
    expect(page).toBe(folder('deep', 'reports', 'example', 'report.html'));
    expect((await readdir(folder('deep', 'reports', 'example'))).sort()).toEqual([
      ...['.edgeflex-output.json', 'charts', 'report.csv', 'report.html', 'report.json', 'report.md'],
      ...['report.parquet', 'report.tex'],
    ]);
    expect((await readdir(folder('deep', 'reports', 'example', 'charts'))).sort()).toEqual(charts);
    expect(await readFile(page, 'utf8')).toMatch(/^<!doctype html>/);
  });

  it('takes the place of an earlier one: its files and its charts, but nothing else that lies there', async () => {
    const own = folder('reports', 'example');
    await mkdir(folder('reports', 'example', 'charts'), { recursive: true });
    for (const name of ['report.html', 'report.csv', 'notes.txt', 'charts/old.svg', 'charts/notes.txt'])
      await writeFile(`${own}/${name}`, 'old');
    const analysis = await example();
    await writeReport(analysis, folder('reports'));
    expect((await readdir(`${own}/charts`)).sort()).toEqual([...charts, 'notes.txt'].sort());
    expect(await readFile(`${own}/notes.txt`, 'utf8')).toBe('old');
    const written = await readFile(`${own}/report.csv`, 'utf8');
    expect(written).toContain('example');
    // What is analysed again is written again as it was.
    await writeReport({ ...analysis }, folder('reports'));
    expect(await readFile(`${own}/report.csv`, 'utf8')).toBe(written);
  });

  it('is refused in words where its folder cannot be', async () => {
    const analysis = await example();
    await writeFile(folder('file'), '');
    await mkdir(folder('occupied'));
    await writeFile(folder('occupied', 'example'), '');
    for (const place of ['file', 'occupied'])
      expect(await refusalOf(() => writeReport(analysis, folder(place)))).toMatchObject({
        source: folder(place, 'example'),
        found: 'a file where a directory belongs',
      });
  });

  it('is refused in words where a folder stands in the place of a file', async () => {
    await mkdir(folder('reports', 'example', 'report.csv'), { recursive: true });
    await writeFile(folder('reports', 'example', 'report.csv', 'mine.txt'), 'mine');
    expect(await refusalOf(async () => writeReport(await example(), folder('reports')))).toMatchObject({
      found: 'a directory',
    });
    expect(await readFile(folder('reports', 'example', 'report.csv', 'mine.txt'), 'utf8')).toBe('mine');
  });

  it('is refused in words where nothing may be written', async () => {
    const analysis = await example();
    await mkdir(folder('reports'));
    // What draws is loaded before permissions go, which would keep it from being read, too.
    await writeReport(analysis, folder('before'));
    const fault = await withoutWriting(folder('reports'), () =>
      refusalOf(() => writeReport(analysis, folder('reports'))),
    );
    expect(fault).toMatchObject({ source: folder('reports', 'example'), found: 'no permission' });
  });

  it('is refused for a run whose id would lead elsewhere', async () => {
    const analysis = await example();
    for (const id of ['../elsewhere', 'a/b', '/tmp/a', 'a/', '..', '.', '']) {
      const renamed = { ...analysis, run: { ...analysis.run, row: { ...analysis.run.row, id } } };
      expect(await refusalOf(() => writeReport(renamed, folder('reports', 'deep'))), id).toMatchObject({
        source: 'run',
        found: `the id ${id}`,
      });
    }
    expect(await readdir(folder())).not.toContain('reports');
  });
});
