import { beforeEach, describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/analysis/analysis.js';
import { picturedCharts } from '../../src/report/charts/pictured.js';
import { printCharts } from '../../src/report/charts/print.js';
import { thinnedDistribution } from '../../src/report/charts/quantiles.js';
import { colourScale, palette, shapeScale } from '../../src/report/charts/theme.js';
import { useFolder } from '../support/folder.js';
import { describeInBrowser, useBrowser } from './support/browser.js';
import { hostileDress, payloads } from './support/hostile.js';
import { figuresOf, storedExample } from '../analysis/support/stored.js';
import { parsedSvg, type Mark, type Picture } from './support/svg.js';

const folder = useFolder();
const visit = useBrowser();

/** The charts of a run as an XML parser, that of the browser, sees them. */
async function picturesOf(analysis: Analysis): Promise<Map<string, Picture>> {
  const charts = await picturedCharts(analysis);
  return parsedSvg(visit, folder('blank.html'), new Map(charts.map(({ chart, svg }) => [chart.id, svg])));
}

const trained = ['vit-drawn · fp32', 'vit-drawn · int8', 'vit-drawn · pruned'];
const synthetic = ['vit-large · fp32', 'vit-large · int8'];
const all = [...trained, ...synthetic];

describeInBrowser('the pictures of a run', () => {
  let analysis: Analysis;
  let pictures: Map<string, Picture>;
  let drawn: { analysis: Analysis; pictures: Map<string, Picture> } | undefined;

  beforeEach(async () => {
    // The same run each time: it is drawn once.
    if (drawn === undefined) {
      const { analysis: stored } = await storedExample(folder('results.sqlite'));
      drawn = { analysis: stored, pictures: await picturesOf(stored) };
    }
    ({ analysis, pictures } = drawn);
  });

  /** The marks of a variant in a chart. */
  const marksOf = (id: string, variant: string): Mark[] =>
    pictures.get(id)!.marks.filter(({ values, drawn }) => drawn && values['variant'] === variant);
  const countsOf = (id: string, kind: string): number[] =>
    all.map((name) => marksOf(id, name).filter((mark) => mark.kind === kind).length);

  it('are well-formed SVG with their titles, and nothing in them runs or fetches', async () => {
    expect([...pictures.keys()]).toEqual([
      ...['accuracy-latency', 'agreement-latency', 'latency-distribution', 'memory-phases', 'stage-sizes'],
      ...['mlp-widths', 'linear-sqnr', 'kernel-shares'],
    ]);
    for (const { chart } of await picturedCharts(analysis)) {
      expect(pictures.get(chart.id), chart.id).toMatchObject({ error: '', root: 'svg', strays: [] });
      expect(pictures.get(chart.id)!.texts, chart.id).toContain(chart.title);
    }
  });

  it('are printed as PNG with twice the pixels, and as PDF of one page of their size with text as text', async () => {
    const [chart] = await picturedCharts(analysis);
    const files = await printCharts([chart!], ['png', 'pdf']);
    const sides = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(chart!.svg)!.slice(1).map(Number);
    const png = Buffer.from(files.get(`${chart!.chart.id}.png`)!);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(sides.map((side) => 2 * Math.ceil(side)));
    const pdf = Buffer.from(files.get(`${chart!.chart.id}.pdf`)!).toString('latin1');
    expect(pdf).toMatch(/^%PDF-/);
    expect(pdf.match(/\/Type \/Page\b/g)).toHaveLength(1);
    const box = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf)!.slice(1).map(Number);
    // A pixel of CSS is three quarters of a point.
    for (const [index, side] of sides.entries())
      expect(Math.abs(box[index]! - 0.75 * side)).toBeLessThan(1.5);
    expect(pdf).toContain('/FontDescriptor');
    expect(pdf).not.toContain('/Subtype /Image');
  });

  it('have a mark for each variant at each batch size that was measured', () => {
    // `pruned` failed at batch 8, and the synthetic `int8` waits there.
    expect(countsOf('accuracy-latency', 'point')).toEqual([2, 2, 1, 0, 0]);
    expect(countsOf('agreement-latency', 'point')).toEqual([0, 0, 0, 2, 1]);
    expect(countsOf('latency-distribution', 'line mark')).toEqual([10, 10, 5, 10, 5]);
    // Four phases and the base of each.
    expect(countsOf('memory-phases', 'bar')).toEqual([10, 10, 5, 10, 5]);
    expect(countsOf('kernel-shares', 'bar')).toEqual([4, 4, 4, 4, 4]);
  });

  it('have marks at the values of the analysis', () => {
    const { accuracy, latencies } = figuresOf(analysis, 'int8');
    const points = marksOf('accuracy-latency', 'vit-drawn · int8').filter(({ kind }) => kind === 'point');
    expect(points.map(({ values }) => Number(values['median latency of a query, ms']))).toEqual(
      latencies.map(({ median }) => expect.closeTo(median.value, 6) as number),
    );
    for (const { values } of points)
      expect(Number(values['top-1 accuracy, %'])).toBeCloseTo(accuracy!.top1!.value * 100, 6);
    const bars = marksOf('memory-phases', 'vit-drawn · int8').flatMap(({ kind, values }) =>
      kind === 'bar' && values['phase'] === 'steady' ? [Number(values['peak over the base, MiB'])] : [],
    );
    expect(bars).toEqual(
      latencies.map(({ memory }) => expect.closeTo(memory!.byPhase.get('steady')! / 2 ** 20, 6) as number),
    );
  });

  it('show what each stage takes off, and each block and linear of a compressed variant', () => {
    const values = (id: string, name: string): string[] =>
      pictures.get(id)!.marks.flatMap((mark) => mark.values[name] ?? []);
    expect(new Set(values('stage-sizes', 'stage'))).toEqual(
      new Set(['fp32', '1. profile', '2. precision', '3. quantize', '1. prune', 'what is left']),
    );
    expect(new Set(values('mlp-widths', 'neurons left'))).toEqual(new Set(['288', '224']));
    // Four blocks of six linears, of two variants.
    const cells = pictures.get('linear-sqnr')!.marks.filter(({ values: each }) => each['linear']);
    expect(new Set(cells.map((mark) => `${mark.values['variant']} ${mark.values['linear']}`)).size).toBe(48);
    const { texts } = pictures.get('linear-sqnr')!;
    const rows = texts.filter((text) => ['q', 'k', 'v', 'o', 'fc1', 'fc2'].includes(text));
    expect(rows).toEqual(['q', 'k', 'v', 'o', 'fc1', 'fc2']);
    expect(texts.filter((text) => text === 'float')).toHaveLength(4);
  });

  it('name the unit of every axis', () => {
    const units = /, (ms|%|MiB)$|^neurons$|^block$/;
    const titles: Record<string, number> = {};
    for (const [id, { texts }] of pictures) titles[id] = texts.filter((text) => units.test(text)).length;
    for (const [id, count] of Object.entries(titles)) expect(count, id).toBeGreaterThan(0);
  });
});

describeInBrowser('the pictures of a run with hostile names', () => {
  it('are well-formed all the same, with nothing that runs or fetches', async () => {
    for (const first of payloads.keys()) {
      const { analysis } = await storedExample(folder(`${first}.sqlite`), { dress: hostileDress(first) });
      const pictures = await picturesOf(analysis);
      expect(pictures.size).toBe(8);
      for (const [id, picture] of pictures)
        expect(picture, `${id}, ${first}`).toMatchObject({ error: '', root: 'svg', strays: [] });
    }
  });
});

describe('charts of a run', () => {
  it('with nothing measured are none of measurements', async () => {
    const { analysis } = await storedExample(folder('none.sqlite'), { smooth: true }, (database) => {
      database.exec(`update cells set status = 'pending'; delete from rounds`);
    });
    expect((await picturedCharts(analysis)).map(({ chart }) => chart.id)).toEqual([
      ...['stage-sizes', 'mlp-widths', 'linear-sqnr'],
    ]);
  });

  it('of fp32 alone are none of stages', async () => {
    const { analysis } = await storedExample(folder('one.sqlite'), { smooth: true }, (database) => {
      database.exec(`pragma foreign_keys = on; delete from variants where recipe != 'fp32'`);
    });
    expect((await picturedCharts(analysis)).map(({ chart }) => chart.id)).toEqual([
      ...['accuracy-latency', 'latency-distribution', 'memory-phases', 'kernel-shares'],
    ]);
  });
});

describe('a thinned distribution', () => {
  const samples = Array.from({ length: 1000 }, (_, i) => ((i * 617) % 1000) + 0.5);

  it('holds samples only, each with the share that is no larger, the smallest and the largest among them', () => {
    const points = thinnedDistribution(samples, 50);
    expect(points).toHaveLength(50);
    for (const { value, share } of points)
      expect(samples.filter((each) => each <= value).length / 1000).toBe(share);
    expect([points[0]!.value, points[49]!.value]).toEqual([0.5, 999.5]);
    expect(points).toEqual([...points].sort((a, b) => a.value - b.value));
  });

  it('holds all of few samples', () => {
    expect(thinnedDistribution([3, 1, 2], 50)).toEqual([
      { value: 1, share: 1 / 3 },
      { value: 2, share: 2 / 3 },
      { value: 3, share: 1 },
    ]);
  });
});

describe('series', () => {
  it('keep their colour in charts that show only some of them', () => {
    const names = ['a', 'b', 'c'];
    expect(colourScale(names, ['c', 'a'])).toEqual({ domain: ['c', 'a'], range: [palette[2], palette[0]] });
  });

  it('are told apart by their shape where colours come again', () => {
    const names = Array.from({ length: 2 * palette.length }, (_, index) => `series ${index}`);
    const pairs = names.map((_, i) => [colourScale(names).range[i], shapeScale(names).range[i]].join());
    expect(new Set(pairs).size).toBe(names.length);
  });
});
