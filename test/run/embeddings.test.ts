import { mkdir, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { analyse } from '../../src/analysis/analysis.js';
import { compareRuns } from '../../src/analysis/compare/compare.js';
import { checkGates } from '../../src/analysis/compare/gates.js';
import { permutation, seededRandom } from '../../src/base/random.js';
import { fp32 } from '../../src/compress/recipe.js';
import { readImages } from '../../src/data/records.js';
import { preprocessingGraph } from '../../src/data/preprocess.js';
import { serializeModel } from '../../src/onnx/file.js';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { defaultSessionOptions } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { findRun, loadLogits, loadRun, type StoredCell, type StoredRun } from '../../src/store/read.js';
import { headOfKind, type SuiteHead } from '../../src/suite/head.js';
import type { Suite } from '../../src/suite/read.js';
import { mainTable } from '../../src/text/table.js';
import { rowCosines } from '../../src/stats/neighbours.js';
import { withoutHead } from '../../src/vit/vit.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { loadModelFor, modelHere } from '../../src/model/load.js';
import { storedRecords } from '../data/support/cifar.js';
import { backboneFiles } from '../support/backbone.js';
import { refusalOf } from '../support/refusal.js';
import { describeInBrowser } from '../report/support/browser.js';
import { data, useRuns } from './support.js';

const { folder, db, suite, execute, interrupt } = useRuns();

const IMAGES = 40;
const BANK = 120;
const vote: SuiteHead = { kind: 'none', neighbours: 5, images: BANK };

beforeEach(async () => {
  await mkdir(folder('backbone'));
  for (const [name, content] of Object.entries(await backboneFiles()))
    await writeFile(folder('backbone', name), content);
});

/** The built-in model without its classifier, scored by its features. */
function headless(changes: Partial<Suite> = {}): Suite {
  return suite({
    models: [{ kind: 'path', name: 'backbone', path: folder('backbone') }],
    head: vote,
    performance: { batches: [2], tier: 'smoke', rounds: 1 },
    ...changes,
  });
}

async function stored(id: string): Promise<StoredRun> {
  return loadRun(db(), await findRun(db(), id));
}

function accuracyCell(run: StoredRun, recipe: string): StoredCell {
  return run.cells.find(({ row, variant }) => row.kind === 'accuracy' && variant.recipe === recipe)!;
}

/** Features of images, by the model's graph and its preprocessing in one piece. */
async function featuresOf(split: 'train' | 'test', indices: readonly number[]): Promise<number[][]> {
  const loaded = await loadModelFor(
    await modelHere({ kind: 'path', name: 'backbone', path: folder('backbone') }),
    data.train,
  );
  const engine = await nodeEngine();
  const options = { ...defaultSessionOptions, threads: 1 };
  const first = await engine.open(await serializeModel(preprocessingGraph(loaded.preprocessing)), options);
  const model = await engine.open(await serializeModel(buildGraph(withoutHead(loaded.vit))), options);
  const pixels = await readImages(storedRecords(data[split]), indices);
  const prepared = await first.run({ pixels: engine.tensor('uint8', pixels, [indices.length, 3, 32, 32]) });
  const output = (await model.run({ pixel_values: prepared['pixel_values']! }))[model.outputNames[0]!]!;
  await first.close();
  await model.close();
  const [images, width] = output.dims as [number, number];
  expect(images).toBe(indices.length);
  const values = output.data as Float32Array;
  return indices.map((_, row) => [...values.subarray(row * width, (row + 1) * width)]);
}

function cosineOf(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe('a model that stays without a head', () => {
  it('is scored by the vote of training images, and its variants by their cosines to fp32 besides', async () => {
    const { id, failedCells } = await execute(headless());
    expect(failedCells).toBe(0);
    const run = await stored(id);

    const tests = await featuresOf(
      'test',
      Array.from({ length: IMAGES }, (_, index) => index),
    );
    const drawn = permutation(data.train.count, seededRandom(1)).slice(0, BANK);
    const known = await featuresOf('train', drawn);
    const voted = tests.map((query) => {
      const nearest = known
        .map((other, index) => ({
          cosine: cosineOf(query, other),
          label: data.train.classes[drawn[index]!]!,
        }))
        .sort((a, b) => b.cosine - a.cosine)
        .slice(0, 5);
      const weights = new Float64Array(10);
      for (const { cosine, label } of nearest) weights[label]! += Math.exp(cosine / 0.07);
      return weights.indexOf(Math.max(...weights));
    });
    const float = accuracyCell(run, 'fp32');
    expect(float.predictions!.predicted).toEqual(voted);
    expect(float.predictions!.labels).toEqual([...data.test.classes.slice(0, IMAGES)]);
    const { values, classes: width } = (await loadLogits(db(), float.row.id))!;
    expect(width).toBe(128);
    for (const [image, features] of tests.entries())
      for (const [j, value] of features.entries())
        expect(Math.abs(values[image * width + j]! - value)).toBeLessThan(1e-3);
    expect(float.cosines).toBeUndefined();

    const int8 = accuracyCell(run, 'int8');
    const theirs = (await loadLogits(db(), int8.row.id))!.values;
    const rowOf = (all: Float32Array, image: number): number[] => [
      ...all.subarray(image * width, (image + 1) * width),
    ];
    expect(int8.cosines).toHaveLength(IMAGES);
    for (const [image, cosine] of int8.cosines!.entries())
      expect(cosine).toBeCloseTo(cosineOf(rowOf(values, image), rowOf(theirs, image)), 9);

    const analysis = analyse(run);
    const [reference, variant] = reportDocument(analysis).results;
    expect(reference).toMatchObject({
      features: {
        width: 128,
        neighbours: 5,
        temperature: 0.07,
        images: BANK,
        asked: null,
        meanCosine: null,
        leastCosine: null,
      },
    });
    const mean = int8.cosines!.reduce((a, b) => a + b) / IMAGES;
    expect(variant!.features!.meanCosine!.value).toBeCloseTo(mean, 12);
    expect(variant!.features!.meanCosine!.low).toBeLessThan(mean);
    expect(variant!.features!.leastCosine).toBe(Math.min(...int8.cosines!));
    const right = voted.filter((choice, image) => choice === data.test.classes[image]).length;
    expect(reference!.accuracy).toMatchObject({ correct: right, images: IMAGES });
    expect(variant!.accuracy!.mcnemarP).not.toBeNull();

    const { columns, rows, notes } = mainTable(analysis);
    expect(columns.map(({ key }) => key)).toEqual(expect.arrayContaining(['head', 'cosine', 'top1']));
    expect(rows.map(({ head }) => head)).toEqual(['none (k-NN)', 'none (k-NN)']);
    expect(rows[1]!['cosine']).toContain(mean.toFixed(5));
    expect(notes.join('\n')).toMatch(/5 nearest of 120 training images/);
    const [header, , line] = (await csvExporter.render(analysis))
      .split('\r\n')
      .map((each) => each.split(','));
    expect(line![header!.indexOf('neighbours')]).toBe('5');
    expect(Number(line![header!.indexOf('cosine_mean')])).toBeCloseTo(mean, 12);
  });

  it('goes on where it was interrupted, and finds the features of fp32', async () => {
    // There are 512 training images: that more were asked for is told.
    const only = headless({
      head: { ...vote, images: 900 },
      performance: { batches: [], tier: 'smoke', rounds: 1 },
    });
    await interrupt(only, (stop) => ({
      measured: ({ position }) => {
        if (position === 0) stop();
      },
    }));
    const run = await stored((await execute(only, {}, { resume: true })).id);
    const [float, int8] = [accuracyCell(run, 'fp32'), accuracyCell(run, 'int8')];
    const [theirs, own] = [await loadLogits(db(), float.row.id), await loadLogits(db(), int8.row.id)];
    expect(int8.cosines).toEqual(rowCosines(own!.values, theirs!.values, 128));
    const analysis = analyse(run);
    expect(reportDocument(analysis).results[0]!.features).toMatchObject({ images: 512, asked: 900 });
    expect(mainTable(analysis).notes.join('\n')).toMatch(/512 training images \(900 were asked for/);
  });

  it('is compared with another run by its answers and its cosines, and not with one that has a head', async () => {
    const only = { performance: { batches: [], tier: 'smoke' as const, rounds: 1 } };
    const [one, two] = [await execute(headless(only)), await execute(headless(only))];
    const options = { floors: [], p90: false, force: false };
    const comparison = compareRuns(await stored(one.id), await stored(two.id), options);
    const of = (metric: string) => comparison.compared.filter(({ judgement }) => judgement.metric === metric);
    expect(of('cosine').map(({ subject }) => subject.recipe)).toEqual(['int8']);
    expect(of('cosine')[0]!.judgement).toMatchObject({
      change: { value: 0 },
      p: 1,
      verdict: 'not distinguishable',
    });
    expect(of('accuracy')).toHaveLength(2);
    const gate = { metric: 'cosine' as const, variant: undefined, limit: 0.001 };
    expect(checkGates(comparison, [gate]).map(({ outcome }) => outcome)).toEqual(['held']);

    const fitted = await execute(headless({ ...only, head: headOfKind('ridge') }));
    const across = compareRuns(await stored(one.id), await stored(fitted.id), { ...options, force: true });
    expect(across.uncompared.map(({ obstacle }) => obstacle.kind)).toContain('other-scoring');
    expect(across.compared.filter(({ judgement }) => judgement.metric === 'accuracy')).toEqual([]);
  });

  it('is refused a recipe that fits a head, and more neighbours than images', async () => {
    const refit = { ...fp32, name: 'refit', steps: [{ stage: 'head', options: { kind: 'ridge' } }] };
    const recipes = [fp32, refit].map((recipe) => ({ recipe, published: undefined }));
    const head = await refusalOf(() => execute(headless({ recipes })));
    expect(head).toMatchObject({ source: 'recipe refit', place: 'head' });
    const many = await refusalOf(() => execute(headless({ head: { ...vote, neighbours: BANK + 1 } })));
    expect(many).toMatchObject({ place: 'head.neighbours' });
    expect(many.found).toContain(String(BANK + 1));
  });
});

describeInBrowser('a model that stays without a head, in a browser', () => {
  it('has the neighbours and the cosines that it has on this machine', { timeout: 400_000 }, async () => {
    await writeFile(folder('wasm.yaml'), 'name: wasm\nkind: browser\nprovider: wasm\nthreads: 1\n');
    const { id, failedCells } = await execute(
      headless({
        devices: [folder('here.yaml'), folder('wasm.yaml')],
        performance: { batches: [], tier: 'smoke', rounds: 1 },
      }),
    );
    const run = await stored(id);
    expect(run.cells.map(({ row }) => row.reason)).toEqual(run.cells.map(() => null));
    expect(failedCells).toBe(0);
    const on = (name: string, recipe: string): StoredCell =>
      run.cells.find((cell) => cell.device.row.name === name && cell.variant.recipe === recipe)!;
    expect(on('wasm', 'fp32').predictions).toEqual(on('here', 'fp32').predictions);
    expect(on('wasm', 'fp32').cosines).toBeUndefined();
    const [theirs, own] = [on('here', 'int8').cosines!, on('wasm', 'int8').cosines!];
    expect(own).toHaveLength(IMAGES);
    for (const [image, cosine] of own.entries()) expect(cosine).toBeCloseTo(theirs[image]!, 3);
    const { results } = reportDocument(analyse(run));
    expect(results).toHaveLength(4);
    for (const { features, accuracy } of results) {
      expect(features).toMatchObject({ width: 128, neighbours: 5, images: BANK });
      expect(accuracy!.top1).not.toBeNull();
    }
  });
});
