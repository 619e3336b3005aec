import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { analyse, type VariantFigures } from '../../src/analysis/analysis.js';
import { modelRecordOf } from '../../src/analysis/model.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { writeModel } from '../../src/onnx/file.js';
import type { OnnxModel, OnnxNode } from '../../src/onnx/model.js';
import { dtypeCode } from '../../src/onnx/dtype.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { reportDocument } from '../../src/report/document.js';
import type { RootFailure } from '../../src/protocol/failure.js';
import { artifactOf } from '../../src/run/artifacts/artifact.js';
import { fileRefusal } from '../../src/run/artifacts/raw.js';
import { findRun, loadLogits, loadRun } from '../../src/store/read.js';
import type { RawFile, SuiteRecipe } from '../../src/suite/read.js';
import { mainTable } from '../../src/text/table.js';
import { pickedRows } from '../../src/vit/derived.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { weightOf, withWeights, type ViT } from '../../src/vit/vit.js';
import { openBench, type Bench } from '../compress/support.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { data, useRuns } from './support.js';

const runs = useRuns();
const { folder } = runs;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const preprocessor = `${microDirectory}/preprocessor_config.json`;

/** A file beside the built-in model's variants. */
function beside(name: string, path: string, more: Partial<RawFile> = {}): SuiteRecipe {
  const recipe: Recipe = { name, description: '', steps: [], microBatch: undefined };
  return { recipe, published: undefined, raw: { path, model: undefined, preprocessor, ...more } };
}

/** Timed as shortly as can be. */
const performance = { batches: [2], tier: 'smoke' as const, rounds: 1 };

const baseline: SuiteRecipe = { recipe: fp32, published: undefined };

/** What was measured of a run, by variant. */
async function measured(): Promise<Record<string, VariantFigures>> {
  const run = await loadRun(runs.db(), await findRun(runs.db(), ''));
  return Object.fromEntries(analyse(run).figures.map((each) => [each.variant.recipe, each]));
}

/** Logits of the accuracy pass, by variant. */
async function scored(): Promise<Record<string, Float32Array>> {
  const { cells } = await loadRun(runs.db(), await findRun(runs.db(), ''));
  const all: Record<string, Float32Array> = {};
  for (const { row, variant } of cells) {
    const logits = row.kind === 'accuracy' ? await loadLogits(runs.db(), row.id) : undefined;
    if (logits) all[variant.recipe] = logits.values;
  }
  return all;
}

function node(opType: string, inputs: string[], output: string, more: Partial<OnnxNode> = {}): OnnxNode {
  return { name: `the ${opType}`, opType, domain: '', attributes: {}, inputs, outputs: [output], ...more };
}

function castTo(type: 'float16' | 'float32', from: string, to: string): OnnxNode {
  return node('Cast', [from], to, { attributes: { to: { type: 'int', value: dtypeCode(type) } } });
}

/** A graph whose images and logits are float16, computed in float32 in between. */
function halfAtItsEnds(model: OnnxModel): OnnxModel {
  const [input, output] = [model.inputs[0]!, model.outputs[0]!];
  return {
    ...model,
    inputs: [{ ...input, name: 'half', dtype: 'float16' }],
    outputs: [{ ...output, name: 'out', dtype: 'float16' }],
    nodes: [
      { ...castTo('float32', 'half', input.name), name: 'widen' },
      ...model.nodes,
      castTo('float16', output.name, 'out'),
    ],
  };
}

/** A graph that takes exactly so many images. */
function fixedTo(model: OnnxModel, images: number): OnnxModel {
  const inputs = model.inputs.map((input) => ({ ...input, dims: [images, ...input.dims.slice(1)] }));
  const outputs = model.outputs.map((output) => ({ ...output, dims: [images, ...output.dims.slice(1)] }));
  return { ...model, inputs, outputs };
}

/** The built-in model with another order of classes, or with fewer. */
function reordered(vit: ViT, order: readonly number[]): ViT {
  const rows = Int32Array.from(order);
  const weights = ['head.weight', 'head.bias'].map(
    (name) => [name, pickedRows(weightOf(vit, name), rows)] as const,
  );
  const labels = order.map((from) => vit.config.labels[from]!);
  return withWeights({ ...vit, config: { ...vit.config, labels } }, weights);
}

/** The built-in model's own INT8 variant, as a file that somebody brings. */
async function int8File(): Promise<string> {
  const model = await loadModel(await modelHere({ kind: 'path', name: 'micro', path: microDirectory }), [
    ...data.train.labels,
  ]);
  const options = quantizeOptionsSchema.parse({ alpha: 'off', images: 8, rows: 16 });
  const artifact = await artifactOf(
    model,
    { ...fp32, name: 'int8', steps: [{ stage: 'quantize', options }] },
    {
      ...{ engine: bench.engine, threads: 1, train: data.train, seed: 1, device: undefined },
      ...{ signal: new AbortController().signal, onProgress: () => undefined },
    },
  );
  await mkdir(folder('theirs'));
  const path = folder('theirs', 'model.onnx');
  await copyFile(artifact.model, path);
  await copyFile(`${artifact.model}.data`, `${path}.data`);
  return path;
}

describe('an ONNX file beside the variants of a model', () => {
  it('stands in the same table, is compared with fp32, and says that it cannot be compressed', async () => {
    const recipes = [baseline, beside('theirs', await int8File())];
    const { failedCells } = await runs.execute(runs.suite({ recipes, performance }));
    expect(failedCells).toBe(0);

    const figures = await measured();
    expect(Object.keys(figures)).toEqual(['fp32', 'theirs']);
    const { latencies, accuracy, failures, kernels } = figures['theirs']!;
    expect(failures).toEqual([]);
    expect(latencies.map(({ batch }) => batch)).toEqual([2]);
    expect(latencies[0]!.memory!.peak).toBeGreaterThan(0);
    expect(accuracy).toMatchObject({ images: 40, mcnemarP: expect.any(Number) as number });
    expect(kernels.map(({ opType }) => opType)).toContain('MatMulIntegerToFloat');

    const analysis = analyse(await loadRun(runs.db(), await findRun(runs.db(), '')));
    const { rows, notes } = mainTable(analysis);
    expect(rows.map(({ variant = '' }) => variant)).toEqual(['fp32', 'theirs (raw)']);
    expect(notes.join('\n')).toMatch(/theirs: .*quantised already.*cannot be compressed/);
    const document = reportDocument(analysis);
    expect(document.variants.map(({ raw }) => raw)).toEqual([false, true]);
    expect(document.variants[1]!.source!.raw!.reason.kind).toBe('quantised');
    const [columns = '', ...lines] = (await csvExporter.render(analysis)).split('\r\n');
    const raw = columns.split(',').indexOf('raw');
    expect(lines.filter(Boolean).map((line) => line.split(',')[raw])).toEqual(['0', '1']);
  });

  it('may have its classes in another order, and float16 at its ends', async () => {
    const swapped = reordered(bench.vit, [3, 1, 2, 0, 4, 5, 6, 7, 8, 9]);
    await mkdir(folder('swapped'));
    await writeModel(buildGraph(swapped), folder('swapped', 'model.onnx'));
    await writeFile(
      folder('swapped', 'config.json'),
      JSON.stringify({ id2label: Object.fromEntries(swapped.config.labels.entries()) }),
    );
    await writeModel(halfAtItsEnds(buildGraph(bench.vit)), folder('half.onnx'));
    const recipes = [
      baseline,
      beside('swapped', folder('swapped', 'model.onnx')),
      beside('half', folder('half.onnx')),
    ];
    const { failedCells } = await runs.execute(runs.suite({ recipes, performance }));
    expect(failedCells).toBe(0);
    const logits = await scored();
    const furthest = (name: string): number =>
      Math.max(...logits[name]!.map((value, i) => Math.abs(value - logits['fp32']![i]!)));
    expect(furthest('swapped')).toBeLessThan(1e-4);
    expect(furthest('half')).toBeGreaterThan(0);
    expect(furthest('half')).toBeLessThan(0.05);
    const { half } = await measured();
    expect(half!.latencies.map(({ batch }) => batch)).toEqual([2]);
    expect(modelRecordOf(half!.variant)!.raw).toMatchObject({
      reason: { kind: 'asked' },
      input: { dtype: 'float16', batch: null, size: square(32), channels: 3 },
      output: { name: 'out', classes: 10 },
    });
  });

  it('of other classes is timed and not scored; of a fixed batch it is timed at that one alone', async () => {
    await writeModel(buildGraph(reordered(bench.vit, [0, 1, 2, 3, 4, 5, 6])), folder('seven.onnx'));
    await writeModel(fixedTo(buildGraph(bench.vit), 3), folder('three.onnx'));
    const recipes = [baseline, beside('seven', folder('seven.onnx')), beside('three', folder('three.onnx'))];
    const both = { ...performance, batches: [2, 3] };
    const { failedCells } = await runs.execute(runs.suite({ recipes, performance: both }));
    expect(failedCells).toBe(0);
    const { seven, three } = await measured();
    expect(seven!.latencies.map(({ batch }) => batch)).toEqual([2, 3]);
    expect(seven!.accuracy).toBeUndefined();
    expect(seven!.failures).toEqual([
      expect.objectContaining({
        ...{ kind: 'accuracy', status: 'unsupported' },
        reason: { kind: 'other-classes', has: 7, images: 10 },
      }),
    ]);
    expect(three!.latencies.map(({ batch }) => batch)).toEqual([3]);
    expect(three!.failures).toEqual([
      expect.objectContaining({
        ...{ kind: 'performance', batch: 2, status: 'unsupported' },
        reason: { kind: 'fixed-batch', takes: 3, asked: 2 },
      }),
    ]);
    // 40 images in batches of 16, each in parts of 3: the last ones are filled up.
    const logits = await scored();
    expect(
      Math.max(...logits['three']!.map((value, i) => Math.abs(value - logits['fp32']![i]!))),
    ).toBeLessThan(1e-4);
  });
});

it('a file of which the runtime dies is refused by that', () => {
  const files = { weights: 'half.onnx', surface: { nodes: [] } };
  const died: RootFailure = { kind: 'agent-ended', code: null, signal: 'SIGSEGV', text: 'the agent died' };
  const { source, found } = fileRefusal(files, died, died.text).fault;
  expect(source).toBe('half.onnx');
  expect(found).toContain('SIGSEGV');
  expect(found).not.toContain('agent');
});

describe('an ONNX file that is not recognised', () => {
  it('runs as it is and alone; recipes are left out with the reason', async () => {
    const graph = buildGraph(bench.vit);
    const output = graph.outputs[0]!;
    await writeModel(
      {
        ...graph,
        outputs: [{ ...output, name: 'shares' }],
        nodes: [...graph.nodes, node('Softmax', [output.name], 'shares')],
      },
      folder('odd.onnx'),
    );
    await copyFile(preprocessor, folder('preprocessor_config.json'));
    const { recipes } = runs.suite();
    const suite = runs.suite({
      models: [{ kind: 'path', name: 'odd', path: folder('odd.onnx') }],
      recipes: [...recipes, beside('theirs', folder('odd.onnx'))],
      performance,
    });
    expect((await runs.execute(suite)).failedCells).toBe(0);
    const figures = await measured();
    expect(Object.keys(figures)).toEqual(['raw', 'theirs']);
    const { raw } = modelRecordOf(figures['raw']!.variant)!;
    expect(raw).toMatchObject({
      reason: { kind: 'node', node: 'the Softmax', operator: 'Softmax' },
      leftOut: ['int8'],
    });
    expect(figures['raw']!.accuracy!.mcnemarP).toBeUndefined();
    expect(figures['raw']!.accuracy!.correct).toBeGreaterThan(20);
    const table = mainTable(analyse(await loadRun(runs.db(), await findRun(runs.db(), ''))));
    expect(table.notes.join('\n')).toMatch(/the Softmax is Softmax.*\n.*Left out.*int8/);
  });

  it('is refused by name where ONNX Runtime does not know an operator', async () => {
    const graph = buildGraph(bench.vit);
    const output = graph.outputs[0]!;
    const strange = node('Strange', [output.name], 'strange', { domain: 'com.example', name: 'the odd one' });
    await writeModel(
      {
        ...graph,
        opsets: { ...graph.opsets, 'com.example': 1 },
        outputs: [{ ...output, name: 'strange' }],
        nodes: [...graph.nodes, strange],
      },
      folder('strange.onnx'),
    );
    const suite = runs.suite({ models: [{ kind: 'path', name: 'odd', path: folder('strange.onnx') }] });
    const { source, place, found } = await refusalOf(() => runs.execute(suite));
    expect({ source, place }).toEqual({ source: folder('strange.onnx'), place: 'node the odd one' });
    expect(found).toContain('com.example.Strange');
    // Beside a model's own variants it fails alone.
    const both = runs.suite({
      recipes: [baseline, beside('strange', folder('strange.onnx'))],
      performance: { ...performance, batches: [] },
    });
    const { failedCells } = await runs.execute(both);
    const { fp32: own, strange: theirs } = await measured();
    expect(failedCells).toBe(theirs!.failures.length);
    expect(own!.accuracy!.correct).toBeGreaterThan(20);
    expect(theirs!.failures[0]!.reason).toMatchObject({
      ...{ kind: 'file-refused', file: source, place },
      found: expect.stringContaining('com.example.Strange') as string,
    });
  });
});
