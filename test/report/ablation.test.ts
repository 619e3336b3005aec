import { beforeEach, describe, expect, it } from 'vitest';
import { analyse, type Analysis } from '../../src/analysis/analysis.js';
import { judgedAgainst } from '../../src/analysis/ablation/against.js';
import { seededRandom } from '../../src/base/random.js';
import { ablationExporters } from '../../src/report/ablation/exporters.js';
import { ablationInteractions } from '../../src/report/charts/ablation-interactions.js';
import { ablationWaterfall } from '../../src/report/charts/ablation-waterfall.js';
import { drawable } from '../../src/report/charts/drawable.js';
import { renderSvg } from '../../src/report/charts/svg.js';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { markdownExporter } from '../../src/report/exporters/markdown.js';
import { ablation as section } from '../../src/report/html/sections/ablation.js';
import { attributionTable, effectsTable } from '../../src/text/ablation/table.js';
import { openStore } from '../../src/store/open.js';
import { fullFactorial, oneAtATime } from '../../src/suite/matrix/combinations.js';
import { storeAblation, switches } from '../analysis/ablation/support.js';
import { useFolder } from '../support/folder.js';
import { parseCsv } from './support/csv.js';

const folder = useFolder();
const names = ['prune', 'int8'];
let analysis: Analysis;

/** Stores a run of two factors: int8 halves the latency, prune does nothing; together they take a third more. */
async function stored(
  design = switches(names, 'full-factorial', fullFactorial([2, 2])),
  file = 'edgeflex.db',
): Promise<Analysis> {
  const random = seededRandom(3);
  const db = await openStore(folder(file));
  try {
    const run = await storeAblation(db, design, 5, (_, [prune = 0, int8 = 0]) => ({
      milliseconds: () => 20 * 0.5 ** int8 * (4 / 3) ** (prune * int8) * Math.exp(0.002 * random.normal()),
      mebibytes: 30 - 10 * int8,
      fileBytes: 2 ** (22 - 2 * int8),
      right: Array.from({ length: 300 }, (_, image) => image < 270 - 3 * prune),
    }));
    return analyse(run);
  } finally {
    await db.destroy();
  }
}

beforeEach(async () => {
  analysis = await stored();
});

/** What data a chart's part draws. */
const valuesOf = (part: object): Record<string, unknown>[] =>
  (part as { data: { values: Record<string, unknown>[] } }).data.values;
const partsOf = ({ spec }: { spec: object }): object[] => (spec as { concat: object[] }).concat;

describe('the tables of an ablation', () => {
  it('have a row for each effect and a column for each figure, marked where it is not significant', () => {
    const { rows, columns, notes } = effectsTable(analysis);
    expect(rows.map(({ effect }) => effect)).toEqual(['prune', 'int8', 'prune × int8']);
    expect(columns.map(({ key }) => key)).toEqual([
      ...['effect', 'latency, batch 4', 'peak memory, batch 4', 'file size', 'accuracy'],
    ]);
    expect(rows[2]!['latency, batch 4']).toMatch(/^1\.3[0-9]× \(1\.3[0-9]–1\.3[0-9]\)$/);
    expect(rows[1]!['file size']).toBe('0.25×');
    expect(rows[1]!['accuracy']).toMatch(/^\+0\.00 pt .* n\.s\.$/);
    expect(notes.join('\n')).toContain('Full factorial over prune, int8: 4 variants');
    expect(notes.join('\n')).toContain('5 rounds in which all variants took their turn');
  });

  it('attribute the whole, from the first levels to the last', () => {
    const { rows } = attributionTable(analysis);
    expect(rows.map(({ part }) => part)).toEqual([...['all off', 'prune', 'int8', 'all together', 'all on']]);
    expect(rows.map((row) => row['file size'])).toEqual([
      ...['4.00 MiB', '1.00×, 0 %', '0.25×, 100 %', '0.25×', '1.00 MiB'],
    ]);
  });

  it('are in Markdown, HTML and JSON of the report', async () => {
    expect(await markdownExporter.render(analysis)).toContain('#### Ablation');
    expect(section(analysis)!.text).toContain('prune × int8');
    const { ablation } = JSON.parse(JSON.stringify(reportDocument(analysis))) as ReturnType<
      typeof reportDocument
    >;
    expect(ablation!.design.points).toHaveLength(4);
    const latency = ablation!.panels.find(({ metric }) => metric === 'latency')!;
    expect(latency.effects[2]!.effect.value).toBeCloseTo(4 / 3, 1);
    expect(latency.attribution!.parts).toHaveLength(2);
    // The rows of the report's CSV are variants still.
    expect(parseCsv(await csvExporter.render(analysis))).toHaveLength(4);
  });

  it('are nothing where the suite has no matrix', () => {
    const without = analyse({ ...analysis.run, design: undefined });
    expect(effectsTable(without).rows).toEqual([]);
    expect(attributionTable(without).rows).toEqual([]);
    expect(section(without)).toBeUndefined();
    expect(ablationWaterfall(without)).toBeUndefined();
    expect(ablationInteractions(without)).toBeUndefined();
    expect(reportDocument(without).ablation).toBeNull();
  });
});

/** As far as a test looks into a part of a waterfall. */
interface Layered {
  readonly layer: readonly { encoding: { x: { scale: { domainMin: number } } } }[];
}

describe('the charts of an ablation', () => {
  it('go from the first levels to the last without a gap', async () => {
    const chart = ablationWaterfall(analysis)!;
    expect(partsOf(chart)).toHaveLength(4);
    for (const part of partsOf(chart)) {
      const bars = valuesOf(part) as { step: string; change: string; left: number; right: number }[];
      expect(bars.map(({ step }) => step)).toEqual([...['all off', 'prune', 'int8', 'all on']]);
      let at = bars[0]!.right;
      for (const { left, right } of bars.slice(1, -1)) {
        expect([left, right].some((end) => Math.abs(end - at) < 1e-9 * at)).toBe(true);
        at = left + right - at;
      }
      expect(bars.at(-1)!.right).toBeCloseTo(at, 6);
      // What is drawn lies on the axis.
      const { domainMin } = (part as unknown as Layered).layer[0]!.encoding.x.scale;
      expect(Math.min(...bars.map(({ left }) => left))).toBeGreaterThanOrEqual(domainMin);
    }
    const [latency] = partsOf(chart).map(valuesOf);
    expect(latency!.map(({ change }) => change)).toEqual(['total', 'worse', 'better', 'total']);
    expect(await renderSvg({ ...chart, spec: drawable(chart.spec) })).toContain('<svg');
  });

  it('show the means at the levels of two factors', async () => {
    const chart = ablationInteractions(analysis)!;
    expect(partsOf(chart)).toHaveLength(1);
    const values = valuesOf(partsOf(chart)[0]!) as { first: string; second: string; value: number }[];
    const at = (first: string, second: string): number =>
      values.find((each) => each.first === first && each.second === second)!.value;
    expect(at('on', 'off') / at('off', 'off')).toBeCloseTo(1, 1);
    expect(at('on', 'on') / at('off', 'on')).toBeCloseTo(4 / 3, 1);
    expect(await renderSvg({ ...chart, spec: drawable(chart.spec) })).toContain('prune × int8');
  });

  it('are without interactions where one factor is varied at a time', async () => {
    const single = await stored(switches(names, 'one-at-a-time', oneAtATime([2, 2])), 'single.db');
    expect(ablationInteractions(single)).toBeUndefined();
    expect(ablationWaterfall(single)).toBeUndefined();
    expect(effectsTable(single).rows).toHaveLength(2);
  });
});

describe('the formats of edgeflex ablation', () => {
  const rendered = (name: string, reference?: string): string =>
    ablationExporters
      .find((each) => each.name === name)!
      .render({
        ...{ analysis, reference },
        against: reference === undefined ? [] : judgedAgainst(analysis.run, reference, []),
      });

  it('have one row of CSV for each effect, each part and each comparison', () => {
    const rows = parseCsv(rendered('csv', 'int8'));
    const count = (kind: string): number => rows.filter((row) => row['kind'] === kind).length;
    // Four figures: latency, memory, file and accuracy.
    expect([count('main effect'), count('interaction'), count('attribution')]).toEqual([8, 4, 8]);
    // Three variants in latency, memory and accuracy.
    expect(count('against reference')).toBe(9);
    const own = rows.find((row) => row['kind'] === 'interaction' && row['metric'] === 'latency')!;
    expect(Number(own['value'])).toBeCloseTo(4 / 3, 1);
    expect(Number(own['low'])).toBeLessThan(Number(own['high']));
    expect(own).toMatchObject({ factors: 'prune × int8', levels: 'on × on', significant: '1', batch: '4' });
  });

  it.each(['text', 'markdown', 'latex'])('show all tables as %s', (name) => {
    const text = rendered(name, 'int8');
    for (const fact of ['prune', 'all together', 'against int8']) expect(text).toContain(fact);
    expect(rendered(name)).not.toContain('against int8');
  });

  it('have everything in JSON', () => {
    const document = JSON.parse(rendered('json', 'int8')) as {
      panels: unknown[];
      against: { recipe: string }[];
    };
    expect(document.panels).toHaveLength(4);
    expect(new Set(document.against.map(({ recipe }) => recipe))).toEqual(
      new Set(['fp32', 'prune', 'prune+int8']),
    );
  });
});
