import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { analyse, type Analysis } from '../../src/analysis/analysis.js';
import { chartsOf } from '../../src/report/charts/list.js';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { markdownExporter } from '../../src/report/exporters/markdown.js';
import { ceilingsOf, leastTime, precisionSpeeds } from '../../src/analysis/figures/roofline.js';
import { limits as limitsSection } from '../../src/report/html/sections/limits.js';
import { limitsTable } from '../../src/text/limits.js';
import { notesOf } from '../../src/text/notes.js';
import { recipeIn, rooflineDocument, rooflineTable } from '../../src/text/roofline.js';
import { pathOf } from '../../src/base/named.js';
import { readRecipe } from '../../src/suite/read.js';
import type { NodeWork } from '../../src/store/node-work.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, loadRun } from '../../src/store/read.js';
import type { CeilingSubject, StoredCeiling, StoredRoofline } from '../../src/store/rooflines.js';
import { endCell, insertRound, type ProfiledNode } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { environment, fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';
import { parseCsv } from '../report/support/csv.js';

const folder = useFolder();
let db: Db;
beforeEach(async () => {
  db = await openStore(folder('results.sqlite'));
  onTestFinished(() => db.destroy());
});

const small = { rows: 100, inner: 10, columns: 10 };
const large = { rows: 100, inner: 1000, columns: 1000 };

function ceiling(subject: CeilingSubject, milliseconds: number): StoredCeiling {
  return { subject, rounds: [[milliseconds, milliseconds], [milliseconds * 3]], failure: null };
}

const product = (precision: 'float32' | 'int8', shape: typeof small): CeilingSubject => ({
  ...{ kind: 'product', precision, shape },
});

/** FP32: 1 GOP/s at the small shape, 2 at the large; INT8: 8 at the large. Memory: 4 GB/s for little, 1 for much. */
const ceilings: readonly StoredCeiling[] = [
  ceiling(product('float32', small), 0.02),
  ceiling(product('float32', large), 100),
  ceiling(product('int8', large), 25),
  ceiling({ kind: 'stream', bytes: 1e6 }, 0.25),
  ceiling({ kind: 'stream', bytes: 1e8 }, 100),
  {
    subject: { kind: 'product', precision: 'float16', shape: large },
    ...{ rounds: [], failure: { status: 'unsupported', reason: 'the runtime has no kernels for it' } },
  },
];

function roofline(changes: Partial<StoredRoofline> = {}): StoredRoofline {
  return {
    ...{ device: 'here', measuredAt: '2026-11-21T09:00:00.000Z', version: '0.1.0', ceilings },
    setting: {
      ...{ environment, threads: 2 },
      runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
      session: { threads: 2, memoryPattern: false, arena: true, spinning: true },
    },
    ...changes,
  };
}

function node(
  name: string,
  opType: string,
  milliseconds: number[],
  work: NodeWork | undefined,
  calls = 1,
): ProfiledNode {
  return { time: { node: name, opType, provider: 'CPU', calls, milliseconds }, work };
}

function products(precision: 'float32' | 'int8' | 'float16', multiplications: number, bytes = 0): NodeWork {
  return { product: { precision, shape: large, multiplications }, bytes };
}

/** A run with one profiled cell, held against rooflines. */
async function analysed(
  nodes: readonly ProfiledNode[],
  rooflines: readonly StoredRoofline[],
): Promise<Analysis> {
  const cell = await storeCell(db, 'one', 'kernels');
  await insertRound(db, placeOf(cell), fullMeasurement(), labels, false, nodes);
  await endCell(db, cell.id, 'done', null);
  return analyse(await loadRun(db, await findRun(db, 'one')), [], rooflines);
}

const nodes = [
  // 8 ms at the 8 GOP/s of INT8.
  node('a', 'MatMulIntegerToFloat', [15, 16, 90], products('int8', 32e6)),
  // 10 ms at 2 GOP/s, though its bytes are nothing.
  node('b', 'Gemm', [20, 20, 20], products('float32', 10e6, 1000)),
  // 40 MB at 1 GB/s: 40 ms, more than the 1 ms of its products.
  node('c', 'Attention', [50], products('float32', 1e6, 4e7)),
  // Two calls of 1 MB each at 4 GB/s: 0.5 ms, in half of that.
  node('d', 'Add', [0.25], { bytes: 2e6 }, 2),
  node('e', 'Reshape', [0.5], { bytes: 0 }),
  node('f', 'Reorder', [3], undefined),
];

describe('ceilings', () => {
  it('are what the fastest tenth reaches, over all rounds', () => {
    const rates = ceilingsOf(roofline()).map(({ perSecond }) => perSecond && Math.round(perSecond.value));
    expect(rates).toEqual([1e9, 2e9, 8e9, 4e9, 1e9, undefined]);
    const times = Array.from({ length: 30 }, (_, index) => 30 - index);
    const [one] = ceilingsOf(
      roofline({
        ceilings: [
          {
            subject: { kind: 'stream', bytes: 1e6 },
            rounds: [times.slice(0, 9), times.slice(9)],
            failure: null,
          },
        ],
      }),
    );
    // The third and fourth smallest of thirty are the decile: 3.5 ms, not the single fastest.
    expect(one!.perSecond!.value).toBeCloseTo(1e9 / 3.5, 0);
    expect(one!.perSecond!.high).toBeGreaterThan(one!.perSecond!.value);
    expect(one!.executions).toBe(30);
  });

  it('give the least time by the nearest shape and amount', () => {
    const known = ceilingsOf(roofline());
    const at = (shape: typeof small): number =>
      leastTime({ product: { precision: 'float32', shape, multiplications: 1e6 }, bytes: 0 }, known)!
        .milliseconds;
    expect(at({ rows: 120, inner: 12, columns: 9 })).toBeCloseTo(2, 6);
    expect(at({ rows: 90, inner: 700, columns: 1400 })).toBeCloseTo(1, 6);
    expect(leastTime({ bytes: 3e6 }, known)).toEqual({ milliseconds: 0.75, bound: 'memory' });
    expect(leastTime({ bytes: 2e7 }, known)!.milliseconds).toBeCloseTo(20, 6);
    expect(leastTime(products('float16', 1), known)).toBeUndefined();
    expect(leastTime({ bytes: 5 }, [])).toBeUndefined();
  });

  it('are a table, with what there are no kernels for', () => {
    const { rows, notes } = rooflineTable([roofline()]);
    expect(rows.map(({ what, rate }) => `${what} ${rate}`)).toEqual([
      ...['FP32 1.00 GOP/s', 'FP32 2.00 GOP/s', 'INT8 8.00 GOP/s', 'memory 4.00 GB/s', 'memory 1.00 GB/s'],
    ]);
    expect(notes).toContain('here, FP16: not supported here, because the runtime has no kernels for it.');
  });
});

describe('what linears gain in a precision', () => {
  const told = (changes: Partial<StoredRoofline> = {}): string =>
    rooflineTable([roofline(changes)]).notes.find((note) => note.includes('linear layers')) ?? '';
  const both = (precision: 'int8' | 'w4' | 'float16', first: number, second: number): StoredCeiling[] => [
    ceiling({ kind: 'product', precision, shape: small }, first),
    ceiling({ kind: 'product', precision, shape: large }, second),
  ];
  // float32 takes 0.02 and 100: W4 takes twice as long and a tenth longer, INT8 a half and an eighth of it.
  const measured = [...ceilings.slice(0, 2), ...both('w4', 0.04, 110), ...both('int8', 0.01, 12.5)];

  it('is told the fastest first, with the recipe that computes in it, over the same shapes', () => {
    const [int8, w4] = precisionSpeeds(roofline({ ceilings: measured }));
    expect([int8!.precision, w4!.precision]).toEqual(['int8', 'w4']);
    expect(int8!.speedup.value).toBeCloseTo(4, 9);
    expect(w4!.speedup.value).toBeCloseTo(Math.sqrt(0.5 / 1.1), 9);
    for (const { speedup } of [int8!, w4!]) expect(speedup.low).toBeLessThan(speedup.high);
    expect(int8!.speedup.low).toBeLessThanOrEqual(2);
    expect(int8!.speedup.high).toBeGreaterThanOrEqual(8);
    expect(told({ ceilings: measured })).toMatch(
      /^here: .* INT8 4\.00× \(.*, recipe int8; W4 0\.67× \(.*, recipe w4\./,
    );
    expect(rooflineDocument(roofline({ ceilings: measured })).precisions).toHaveLength(2);
  });

  it('is not told of a precision that is known of some shapes alone, nor of an emulator or a software GPU', () => {
    expect(told()).toBe('');
    const { setting } = roofline();
    const emulated = { ...setting, environment: { ...environment, emulated: true as const } };
    expect(told({ ceilings: measured, setting: emulated })).toBe('');
    const gpu = {
      ...{ vendor: 'v', architecture: 'a', device: 'd', description: '', software: true },
      ...{ features: [], limits: {} },
    };
    const software = { ...setting, environment: { ...environment, gpu } };
    expect(told({ ceilings: measured, setting: software })).toBe('');
  });

  it('says where no recipe computes in it, and names recipes that do', async () => {
    const halves = [...ceilings.slice(0, 2), ...both('float16', 0.01, 50)];
    expect(told({ ceilings: halves })).toContain('FP16 2.00×');
    expect(told({ ceilings: halves })).toContain('no recipe computes in it there');
    const { setting } = roofline();
    const runtime = { ...setting.runtime, provider: 'WebGpuExecutionProvider' };
    expect(told({ ceilings: halves, setting: { ...setting, runtime } })).toContain('recipe fp16');
    for (const [precision, format] of [
      ['int8', 'w8a8'],
      ['w8', 'w8'],
      ['w4', 'w4'],
    ] as const) {
      const { steps } = await readRecipe(pathOf('recipe', recipeIn(precision, 'CPUExecutionProvider')!));
      expect(steps).toMatchObject([{ stage: 'quantize', options: { format } }]);
    }
  });
});

describe('the limits of a variant', () => {
  it('are the least time of each operator against what it took, summed up', async () => {
    const { limits } = (await analysed(nodes, [roofline()])).figures[0]!;
    const found = limits!.operators.map(({ opType, milliseconds, leastMilliseconds, bound }) => [
      ...[
        opType,
        milliseconds,
        leastMilliseconds === undefined ? '?' : Number(leastMilliseconds.toFixed(6)),
        bound,
      ],
    ]);
    expect(found).toEqual([
      ['Attention', 50, 40, 'memory'],
      ['Gemm', 20, 10, 'arithmetic'],
      ['MatMulIntegerToFloat', 16, 8, 'arithmetic'],
      ['Reorder', 3, '?', undefined],
      ['Reshape', 0.5, 0, undefined],
      ['Add', 0.25, 0.5, 'memory'],
    ]);
    expect(limits!.milliseconds).toBeCloseTo(89.75, 9);
    expect(limits!.leastMilliseconds).toBeCloseTo(58.5, 9);
    expect(limits!.reached).toBeCloseTo(58.5 / 89.75, 9);
    expect(limits!.unknownMilliseconds).toBe(3);
    const [, gemm, int8] = limits!.operators;
    expect(gemm!.operationsPerSecond).toBeCloseTo(1e9, 0);
    expect(int8!.operationsPerSecond).toBeCloseTo(4e9, 0);
    expect(int8!.bytesPerSecond).toBeUndefined();
    expect(limits!.operators.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  it('show and explain more than 100 %, and what is not known', async () => {
    const analysis = await analysed(nodes, [roofline()]);
    const add = analysis.figures[0]!.limits!.operators.find(({ opType }) => opType === 'Add');
    expect(add!.reached).toBeCloseTo(2, 9);
    const { rows, notes } = limitsTable(analysis);
    expect(rows[0]).toMatchObject({ variant: 'fp32', batch: '2', reached: '65 %' });
    expect(rows[0]!['where']).toMatch(/^Attention \(FP32\) 56 % \(80 %\); Gemm \(FP32\) 22 % \(50 %\); /);
    expect(notes.some((note) => note.startsWith('More than 100 %'))).toBe(true);
    expect(notes.some((note) => note.startsWith('Operators without a known ceiling'))).toBe(true);
  });

  it('are in every format and in a chart', async () => {
    const analysis = await analysed(nodes, [roofline()]);
    const { limits } = analysis.figures[0]!;
    expect(reportDocument(analysis).results[0]!.limits).toEqual(limits);
    expect(await markdownExporter.render(analysis)).toContain('#### How far from the limit');
    const section = limitsSection(analysis).text;
    expect(section).toContain('MatMulIntegerToFloat (INT8)');
    expect(section).toContain('65 % of the best');
    const [row] = parseCsv(await csvExporter.render(analysis));
    // The run times nothing, and the row without a batch size has none.
    expect(Object.keys(row!)).toEqual(expect.arrayContaining(['operators_ms', 'reached_share']));
    const chart = chartsOf(analysis).find(({ id }) => id === 'time-at-best')!;
    const { values } = (
      chart.spec as unknown as { data: { values: { bar: string; milliseconds: number }[] } }
    ).data;
    const sumOf = (bar: string): number =>
      values.filter((each) => each.bar === bar).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    expect(sumOf('taken')).toBeCloseTo(limits!.milliseconds, 9);
    expect(sumOf('at best')).toBeCloseTo(limits!.leastMilliseconds, 9);
  });

  it('need a roofline of the same setting: without one the report names the command', async () => {
    const other = roofline();
    const analysis = await analysed(nodes, [
      { ...other, setting: { ...other.setting, threads: 1 } },
      { ...other, device: 'there' },
    ]);
    expect(analysis.figures[0]!.limits).toBeUndefined();
    expect(chartsOf(analysis).some(({ id }) => id === 'time-at-best')).toBe(false);
    expect(reportDocument(analysis).results[0]!.limits).toBeNull();
    const note = notesOf(analysis).find((each) => each.includes('"edgeflex roofline"'));
    expect(analysis.ceilingNotes).toEqual([{ kind: 'ceilings-of-another-setting', device: 'here' }]);
    expect(note).toContain('here');
    expect(limitsSection(analysis).text).toContain('edgeflex roofline');
    const unknown = analyse(analysis.run);
    expect(unknown.ceilingNotes).toEqual([{ kind: 'no-ceilings', device: 'here' }]);
  });

  it('are not asked for where a run holds no times of nodes', async () => {
    const analysis = await analysed([], [roofline()]);
    expect(analysis.figures[0]!.limits).toBeUndefined();
    expect(analysis.ceilingNotes).toEqual([]);
  });
});
