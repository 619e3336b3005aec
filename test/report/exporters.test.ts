import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/analysis/analysis.js';
import { reportDocument, type ReportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { jsonExporter } from '../../src/report/exporters/json.js';
import { markdownExporter } from '../../src/report/exporters/markdown.js';
import { mainTable } from '../../src/text/table.js';
import { oneLine } from '../../src/text/format.js';
import { useFolder } from '../support/folder.js';
import { parseCsv } from './support/csv.js';
import { hostileDress, payloads } from './support/hostile.js';
import { unescaped } from './support/markdown.js';
import { figuresOf, storedExample } from '../analysis/support/stored.js';

const folder = useFolder();

async function example(): Promise<Analysis> {
  return (await storedExample(folder('results.sqlite'))).analysis;
}

/** The example with every payload in every text that is free, one after the other. */
async function hostileExamples(): Promise<Analysis[]> {
  const all: Analysis[] = [];
  for (const first of payloads.keys())
    all.push((await storedExample(folder(`${first}.sqlite`), { dress: hostileDress(first) })).analysis);
  return all;
}

describe('CSV', () => {
  const read = async (analysis: Analysis) => parseCsv(await csvExporter.render(analysis));

  it('has a row for every variant, device and batch size, and says which were measured', async () => {
    const rows = await read(await example());
    expect(rows.map((row) => [row['model'], row['variant'], row['batch'], row['status']])).toEqual([
      ...[
        ['vit-drawn', 'fp32', '1', 'done'],
        ['vit-drawn', 'fp32', '8', 'done'],
      ],
      ...[
        ['vit-drawn', 'int8', '1', 'done'],
        ['vit-drawn', 'int8', '8', 'done'],
      ],
      ...[
        ['vit-drawn', 'pruned', '1', 'done'],
        ['vit-drawn', 'pruned', '8', 'failed'],
      ],
      ...[
        ['vit-large', 'fp32', '1', 'done'],
        ['vit-large', 'fp32', '8', 'done'],
      ],
      ...[
        ['vit-large', 'int8', '1', 'done'],
        ['vit-large', 'int8', '8', 'pending'],
      ],
    ]);
    expect(rows[5]!['failure']).toBe(
      'performance: the agent was killed (SIGKILL) out of memory, "perhaps"; see the log',
    );
    expect(rows.filter(({ failure }) => failure !== '')).toHaveLength(1);
  });

  it('has the figures of the analysis to the last digit', async () => {
    const analysis = await example();
    const { accuracy, latencies } = figuresOf(analysis, 'int8');
    const { median, p90, speedup, memory, queries, load, firstRun } = latencies[1]!;
    const row = (await read(analysis)).find(({ variant, batch }) => variant === 'int8' && batch === '8')!;
    const numbers = Object.fromEntries(Object.entries(row).map(([name, text]) => [name, Number(text)]));
    expect(numbers).toMatchObject({
      ...{ images: 300, top1_correct: accuracy!.correct, mcnemar_p: accuracy!.mcnemarP },
      ...{ top1_share: accuracy!.top1!.value, top1_low_share: accuracy!.top1!.low },
      ...{ agreement_high_share: accuracy!.agreement!.high, test_set_s: accuracy!.testSetSeconds },
      ...{ latency_median_ms: median.value, latency_median_low_ms: median.low },
      ...{ latency_median_high_ms: median.high, latency_p90_ms: p90!.value, queries, load_ms: load },
      ...{
        speedup_ratio: speedup!.value,
        speedup_low_ratio: speedup!.low,
        speedup_high_ratio: speedup!.high,
      },
      ...{ peak_memory_bytes: memory!.peak, raw_peak_memory_bytes: memory!.rawPeak, first_run_ms: firstRun },
      ...{ base_memory_bytes: memory!.base, peak_memory_reduction_share: memory!.reduction },
    });
  });

  it('leaves empty what is not known, and an accuracy of synthetic weights always', async () => {
    const rows = await read(await example());
    for (const row of rows) {
      expect(Object.values(row).join()).not.toMatch(/\b(NaN|undefined|null|Infinity)\b/);
      if (row['synthetic'] === '1')
        expect([row['top1_share'], row['top1_correct'], row['mcnemar_p']]).toEqual(['', '', '']);
      if (row['status'] !== 'done') expect(row['latency_median_ms']).toBe('');
    }
  });

  it('gives hostile texts back on one line, in no more records and fields than it has', async () => {
    for (const analysis of await hostileExamples()) {
      const rows = await read(analysis);
      expect(rows).toHaveLength(10);
      expect(new Set(rows.map(({ suite }) => suite))).toEqual(new Set([oneLine(analysis.run.row.suite)]));
      expect(rows.map(({ model }) => model)).toEqual(
        analysis.figures.flatMap(({ variant }) => [variant.model, variant.model].map(oneLine)),
      );
    }
  });

  it.each([
    ["=cmd|' C calc'!A0", "'=cmd|' C calc'!A0"],
    ['+1+cmd', "'+1+cmd"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1+1', "'=1+1"],
    ['\r=1+1', "'=1+1"],
    ['\uff1d1+1', "'\uff1d1+1"],
    ['\u001b[2J=1+1', "'=1+1"],
    ['vit=small', 'vit=small'],
  ])('holds no formula: a model called %j is %j', async (name, cell) => {
    const { analysis } = await storedExample(folder('results.sqlite'), { dress: (text) => `${name}${text}` });
    // A second reader, which is not ours.
    const text = await csvExporter.render(analysis);
    const rows = parse<Record<string, string>>(text, { columns: true, record_delimiter: '\r\n' });
    expect(rows).toHaveLength(10);
    const model = analysis.figures[0]!.variant.model.slice(name.length);
    expect(rows[0]!['model']).toBe(`${cell}${model}`);
    for (const row of rows)
      for (const each of Object.values(row))
        if (!Number.isFinite(Number(each))) expect(each).not.toMatch(/^[=+\-@\s\uff1d]|\p{Cc}/u);
  });

  it('has a row for a variant that is not timed at all', async () => {
    const { analysis } = await storedExample(folder('untimed.sqlite'), { smooth: true }, (database) => {
      database.exec(`delete from cells where kind = 'performance'`);
    });
    const rows = await read(analysis);
    expect(rows.map(({ variant, batch, status }) => [variant, batch, status])).toEqual([
      ...[
        ['fp32', '', 'done'],
        ['int8', '', 'done'],
        ['pruned', '', 'done'],
      ],
    ]);
    expect(rows.every((row) => row['top1_share'] !== '')).toBe(true);
  });
});

describe('JSON', () => {
  const read = async (analysis: Analysis) =>
    JSON.parse(await jsonExporter.render(analysis)) as ReportDocument;

  it('is the document, with nothing lost on the way: no figure that JSON cannot say, nothing undefined', async () => {
    for (const analysis of [await example(), ...(await hostileExamples())])
      expect(await read(analysis)).toStrictEqual(reportDocument(analysis));
  });

  it('has the figures of the analysis', async () => {
    const analysis = await example();
    const { results } = await read(analysis);
    for (const [index, { accuracy, latencies, kernels }] of analysis.figures.entries()) {
      const result = results[index]!;
      expect(result.accuracy?.top1 ?? undefined).toEqual(accuracy?.top1);
      expect(result.accuracy?.mcnemarP ?? undefined).toEqual(accuracy?.mcnemarP);
      expect(result.accuracy?.agreement ?? undefined).toEqual(accuracy?.agreement);
      expect(result.performance.map((each) => each.medianMilliseconds)).toEqual(
        latencies.map(({ median }) => median),
      );
      expect(result.performance.map((each) => each.memory?.peak)).toEqual(
        latencies.map(({ memory }) => memory?.peak),
      );
      expect(result.performance.map((each) => each.speedup ?? undefined)).toEqual(
        latencies.map(({ speedup }) => speedup),
      );
      expect(result.kernels?.kernels).toEqual(kernels);
    }
    expect(results[1]!.performance[1]!.memory!.byPhase).toEqual(
      Object.fromEntries(figuresOf(analysis, 'int8').latencies[1]!.memory!.byPhase),
    );
  });

  it('names failed and pending cells, and never an accuracy of synthetic weights', async () => {
    const { run, results, variants } = await read(await example());
    expect(run.pendingCells).toBe(1);
    expect(results.flatMap(({ failedCells }) => failedCells)).toEqual([
      {
        kind: 'performance',
        batch: 8,
        status: 'failed',
        reason: expect.stringContaining('SIGKILL') as string,
        failure: { kind: 'agent-failed', text: expect.stringContaining('SIGKILL') as string },
      },
    ]);
    expect(results.at(-1)!.pendingCells).toEqual([{ kind: 'performance', batch: 8 }]);
    const synthetic = variants.flatMap((variant, index) => (variant.synthetic ? [results[index]!] : []));
    expect(synthetic).toHaveLength(2);
    for (const { accuracy } of synthetic)
      expect(accuracy).toMatchObject({ top1: null, correct: null, mcnemarP: null });
  });

  it('says null of what a device cannot tell', async () => {
    const { analysis } = await storedExample(folder('two.sqlite'), { devices: ['laptop', 'board'] }, (db) => {
      db.exec(`delete from phases where phase = 'load'`);
    });
    const { results } = await read(analysis);
    const [board] = results.filter(({ device }) => device === 'board');
    expect(board!.performance[0]).toMatchObject({ memory: null, loadMilliseconds: null });
  });
});

describe('Markdown', () => {
  /** The cells of the lines that are rows of the table. */
  function tableOf(text: string): string[][] {
    return text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.slice(2, -2).split(/(?<!\\) \| /));
  }

  it('has the main table, its notes and what it means in words', async () => {
    const analysis = await example();
    const text = await markdownExporter.render(analysis);
    const { columns, rows, notes } = mainTable(analysis);
    const [head, rule, ...body] = tableOf(text);
    expect(head).toEqual(columns.map(({ title }) => title));
    expect(rule).toEqual(columns.map(({ align }) => (align === 'right' ? '---:' : '---')));
    expect(body.map((cells) => cells.map((cell) => unescaped(cell).trim()))).toEqual(
      rows.map((row) => columns.map(({ key }) => row[key] ?? '')),
    );
    for (const note of notes) expect(unescaped(text)).toContain(`- ${note}`);
    expect(text).toMatch(/^- \*\*vit-drawn · int8\*\*: \d\.\d\d times as fast as fp32 at batch 8/m);
  });

  it('lets no text be markup: every mark is escaped, every row has its columns, every line its kind', async () => {
    for (const analysis of await hostileExamples()) {
      const text = await markdownExporter.render(analysis);
      const { columns, rows } = mainTable(analysis);
      const table = tableOf(text);
      expect(table).toHaveLength(rows.length + 2);
      for (const cells of table) expect(cells).toHaveLength(columns.length);
      const own = /^(### EdgeFlex: |- \*\*|- |\| |<sub>|$)/;
      for (const line of text.split('\n')) expect(line).toMatch(own);
      const foreign = text
        .replace(/^- \*\*(.*?(?<!\\))\*\*: /gm, '$1')
        .replace(/^<sub>|<\/sub>$|^\| | \|$|(?<!\\) \| /gm, '')
        .replace(/^### /, '');
      expect(foreign).not.toMatch(/(?<!\\)(?:\\\\)*[<>`*_[\]|~$]/);
      expect(text).not.toMatch(/[^\P{Cc}\n]/u);
    }
  });
});
