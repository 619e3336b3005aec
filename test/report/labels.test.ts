import type Database from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { observe } from '../../src/analysis/procure/observe.js';
import { historyMetrics, pointsOf } from '../../src/analysis/history/points.js';
import { openStore } from '../../src/store/open.js';
import { comparisonDocument } from '../../src/report/compare/document.js';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { htmlExporter } from '../../src/report/exporters/html.js';
import { historyDocument } from '../../src/report/history/document.js';
import { variantOf } from '../../src/text/compare/label.js';
import { mainTable } from '../../src/text/table.js';
import { twoRuns } from '../analysis/compare/support.js';
import { historyOf, storeHistory } from '../analysis/support/history.js';
import { storedExample } from '../analysis/support/stored.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

const software = {
  ...{ vendor: 'google', architecture: 'swiftshader', device: '', description: '' },
  ...{ software: true, features: [], limits: {} },
};

/** Every device's GPU is played by the processor. */
function withSoftwareGpu(database: Database.Database): void {
  database
    .prepare("update devices set environment_json = json_set(environment_json, '$.gpu', json(?))")
    .run(JSON.stringify(software));
}

const rowsOf = (csv: string): Record<string, string>[] => parse(csv, { columns: true, bom: true });

describe('a GPU that the processor plays, alone in its run', () => {
  it('is marked in the report, in every format', async () => {
    const { analysis } = await storedExample(folder('run.sqlite'), { smooth: true }, withSoftwareGpu);
    const { devices, results } = reportDocument(analysis);
    expect(devices.map(({ emulated }) => emulated)).toEqual([true]);
    expect(new Set(results.map(({ emulated }) => emulated))).toEqual(new Set([true]));
    const rows = rowsOf(await csvExporter.render(analysis));
    expect(new Set(rows.map(({ emulated }) => emulated))).toEqual(new Set(['1']));
    const names = mainTable(analysis).rows.flatMap(({ variant }) => variant ?? []);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toContain('software GPU');
    const real = await storedExample(folder('real.sqlite'), { smooth: true });
    expect(reportDocument(real.analysis).results.some(({ emulated }) => emulated)).toBe(false);
  });

  it('is marked where runs are compared', async () => {
    const comparison = (await twoRuns(folder('two.sqlite'), withSoftwareGpu)).compare();
    const { compared } = comparisonDocument({ comparison, gates: [] });
    for (const { device, emulated } of compared) expect(emulated).toBe(device !== null);
    const ofDevice = comparison.compared.filter(({ subject }) => subject.device !== undefined);
    expect(ofDevice.length).toBeGreaterThan(0);
    for (const { subject } of ofDevice) expect(variantOf(subject, comparison)).toContain('software GPU');
  });

  it('is marked in a history', async () => {
    const db = await openStore(folder('history.sqlite'));
    const run = { milliseconds: 10, environment: { gpu: software } };
    await storeHistory(db, 1, 0.01, [run, run, run]);
    const { cells } = historyDocument(await historyOf(db));
    await db.destroy();
    expect(cells.length).toBeGreaterThan(0);
    for (const { name, device, emulated } of cells) {
      for (const text of [name, device]) expect(text).toContain('software GPU');
      expect(emulated).toBe(true);
    }
  });
});

/** What a page sees of its memory where nobody sees the browser's processes: a heap that was large enough from the start. */
function asInAConnectedBrowser(database: Database.Database): void {
  database.exec(`
    delete from memory where figure not in ('resident', 'peakResident');
    delete from memory where figure = 'resident' and exists (
      select 1 from memory as other
      where other.round_id = memory.round_id and other.phase = memory.phase and other.figure = 'peakResident');
    update memory set figure = 'wasmHeap', bytes = 16777216;
    insert into memory (round_id, phase, figure, bytes)
      select round_id, phase, 'jsHeap', 1000000 from memory where figure = 'wasmHeap';
    insert into memory (round_id, phase, figure, bytes)
      select round_id, phase, 'gpuBuffers', 0 from memory where figure = 'wasmHeap';
    insert into memory (round_id, phase, figure, bytes)
      select round_id, phase, 'peakGpuBuffers', 0 from memory where figure = 'wasmHeap';`);
}

describe('peak memory that a device cannot know', () => {
  it('is absent from reports, histories and rankings, and never 0', async () => {
    const stored = await storedExample(folder('run.sqlite'), { smooth: true }, asInAConnectedBrowser);
    const { analysis, database } = stored;
    expect(
      database.prepare("select count(*) from memory where figure = 'wasmHeap'").pluck().get(),
    ).toBeGreaterThan(0);
    const timed = reportDocument(analysis).results.flatMap(({ performance }) => performance);
    expect(timed.length).toBeGreaterThan(0);
    for (const { memory, judgements } of timed)
      expect({ memory, judged: judgements.memory }).toEqual({ memory: null, judged: null });

    const rows = rowsOf(await csvExporter.render(analysis));
    for (const row of rows)
      for (const [column, value] of Object.entries(row))
        if (column.includes('memory')) expect([column, value]).toEqual([column, '']);

    const page = await htmlExporter.render(analysis);
    expect(/.{60}\b0(\.0+)?[\s\u00a0\u202f]MiB.{20}/.exec(page)?.[0]).toBeUndefined();
    for (const { memory = '', reduction = '' } of mainTable(analysis).rows)
      expect(`${memory}${reduction}`).not.toMatch(/\d/);

    const metrics = new Set(pointsOf(analysis.run, historyMetrics).map(({ metric }) => metric));
    expect([...metrics].sort()).toEqual(['accuracy', 'file', 'latency']);

    const { observations } = observe(analysis.run, { batch: 1, quantile: 0.5 });
    expect(observations.some(({ timed }) => timed !== undefined)).toBe(true);
    for (const { timed } of observations) expect(timed?.memory).toBeUndefined();
  });

  it('is not compared, and its obstacle is named', async () => {
    const comparison = (await twoRuns(folder('two.sqlite'), asInAConnectedBrowser)).compare();
    const { compared, uncompared } = comparisonDocument({ comparison, gates: [] });
    expect(compared.some(({ metric }) => metric === 'memory')).toBe(false);
    expect(compared.some(({ metric }) => metric === 'latency')).toBe(true);
    expect(uncompared.filter(({ metrics }) => metrics.includes('memory')).length).toBeGreaterThan(0);
  });

  it('and what is known by other means is not compared with it', async () => {
    const runs = await twoRuns(folder('means.sqlite'), (database) => {
      database.exec(`update rounds set memory_means = 'rusage-of-process' where memory_means is not null
        and cell_id in (select id from cells where run_id = 'new')`);
    });
    const { compared, uncompared } = comparisonDocument({ comparison: runs.compare(), gates: [] });
    expect(compared.some(({ metric }) => metric === 'memory')).toBe(false);
    expect(compared.some(({ metric }) => metric === 'latency')).toBe(true);
    const reasons = uncompared.filter(({ metrics }) => metrics.includes('memory')).map(({ why }) => why);
    expect(reasons.length).toBeGreaterThan(0);
    for (const why of reasons) expect(why).toMatch(/VmHWM.*ru_maxrss/);
  });
});
