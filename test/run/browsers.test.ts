import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { copyFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseSubstitutions } from '../../src/base/substitution.js';
import { mergeTokensOptionsSchema } from '../../src/compress/merge-tokens/options.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { parseFailure } from '../../src/protocol/failure.js';
import { serializeModel } from '../../src/onnx/file.js';
import { memoryOf } from '../../src/analysis/figures/memory.js';
import { soundnessOf } from '../../src/analysis/figures/soundness.js';
import { analyse } from '../../src/analysis/analysis.js';
import { reportDocument } from '../../src/report/document.js';
import { mainTable } from '../../src/text/table.js';
import { findRun, loadRun, type StoredCell, type StoredRun } from '../../src/store/read.js';
import { loadFolder } from '../support/load.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { describeInBrowser } from '../report/support/browser.js';
import { microDirectory } from '../support/micro.js';
import { useRuns } from './support.js';

const runs = useRuns();

async function profile(name: string, ...lines: string[]): Promise<string> {
  const path = runs.folder(`${name}.yaml`);
  await writeFile(path, [`name: ${name}`, ...lines].join('\n'));
  return path;
}

const stored = async (): Promise<StoredRun> => loadRun(runs.db(), await findRun(runs.db(), ''));

const cellsOf = ({ cells }: StoredRun, device: string): StoredCell[] =>
  cells.filter((cell) => cell.device.row.name === device);

describeInBrowser('a run on a CPU and in browsers', () => {
  it('stores the form each device runs, and how far they agree', async () => {
    const suite = runs.suite({
      accuracy: { batch: 4, images: 8 },
      performance: { ...runs.suite().performance, batches: [] },
      devices: [
        runs.folder('here.yaml'),
        await profile('wasm', 'kind: browser', 'provider: wasm', 'threads: 1'),
        await profile('gpu', 'kind: browser', 'provider: webgpu', 'adapter: swiftshader'),
      ],
    });
    const rewritten: string[] = [];
    const outcome = await runs.execute(suite, { rewritten: ({ variant }) => rewritten.push(variant) });
    const run = await stored();
    expect(run.cells.map(({ row }) => [row.status, row.reason])).toEqual(run.cells.map(() => ['done', null]));
    expect(outcome.failedCells).toBe(0);
    expect(rewritten).toEqual(['micro / int8']);

    const here = cellsOf(run, 'here');
    for (const { row } of [...here, ...cellsOf(run, 'wasm')]) expect(row.form).toBeNull();
    const gpu = cellsOf(run, 'gpu');
    expect(gpu.map(({ row, variant }) => [variant.recipe, parseSubstitutions(row.form)])).toEqual([
      ['fp32', []],
      ['int8', [{ kind: 'weights-only', linears: expect.any(Number) as number }]],
      ['fp32', []],
      ['int8', [{ kind: 'weights-only', linears: expect.any(Number) as number }]],
    ]);
    expect(gpu.find(({ variant }) => variant.recipe === 'int8')!.row.file_bytes).not.toBe(
      here.find(({ variant }) => variant.recipe === 'int8')!.row.file_bytes,
    );
    const kernels = gpu.flatMap(({ rounds }) => rounds.flatMap((round) => round.kernels));
    expect(kernels.find(({ opType }) => opType === 'MatMulNBits')?.gpuMilliseconds).toBeGreaterThan(0);

    const analysis = analyse(run);
    const { agreement } = reportDocument(analysis);
    expect(agreement.map(({ recipe, device, reference }) => [recipe, device, reference])).toEqual([
      ['fp32', 'wasm', 'here'],
      ['fp32', 'gpu', 'here'],
      ['int8', 'wasm', 'here'],
      ['int8', 'gpu', 'here'],
    ]);
    for (const { recipe, images, sameClass, mcnemarP, largestLogitDifference } of agreement) {
      expect(images).toBe(8);
      expect(mcnemarP).toBe(sameClass.value === 1 ? 1 : mcnemarP);
      expect(largestLogitDifference).toBeLessThan(recipe === 'fp32' ? 1e-3 : 0.5);
    }
    const { rows, notes } = mainTable(analysis);
    const names = rows.map(({ variant }) => variant);
    expect(names).toContain('fp32 · gpu (software GPU)');
    expect(names).toContain('int8 · gpu (software GPU) §');
    expect(notes.join('\n')).toContain('say nothing about a real GPU');
    expect(notes.join('\n')).toContain('§ int8 · gpu (software GPU): W8 instead of W8A8');
  }, 180_000);

  it('tells memory in a page of its own, and decides nothing where other processes work beside the browser', async () => {
    const { recipes } = runs.suite();
    const suite = runs.suite({
      recipes: recipes.slice(0, 1),
      accuracy: { batch: 4, images: 4 },
      performance: { ...runs.suite().performance, batches: [1] },
      devices: [await profile('wasm', 'kind: browser', 'provider: wasm', 'threads: 1')],
    });
    const busy = cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    try {
      expect((await runs.execute(suite)).failedCells).toBe(0);
    } finally {
      for (const each of busy) each.kill('SIGKILL');
    }
    const timed = (await stored()).cells.find(({ row }) => row.kind === 'performance')!;
    for (const { memory, memoryMeans, phases } of timed.rounds) {
      expect(memoryMeans).toBe('renderers-liftoff-of-phase');
      expect([...memory.keys()].sort()).toEqual(['first', 'load', 'prepare', 'runtime', 'steady']);
      expect(phases.has('warmup')).toBe(true);
    }
    expect(memoryOf(timed, undefined)!.peak).toBeGreaterThan(2 ** 20);
    const { decides, by } = soundnessOf(timed);
    expect([decides, by.map(({ kind }) => kind)]).toEqual([false, ['other-load']]);
  }, 180_000);

  it('goes on without a browser that is missing', async () => {
    const suite = runs.suite({
      accuracy: { batch: 4, images: 8 },
      performance: { ...runs.suite().performance, batches: [] },
      devices: [
        await profile('none', 'kind: browser', 'provider: wasm', `executable: ${runs.folder('none')}`),
        runs.folder('here.yaml'),
      ],
    });
    const outcome = await runs.execute(suite);
    expect(outcome.failedCells).toBe(4);
    const run = await stored();
    for (const { row } of cellsOf(run, 'none')) {
      expect(row.status).toBe('failed');
      expect(row.reason).toContain('there is no browser at');
      expect(row.reason).toContain('apt-get install chromium');
    }
    for (const { row } of cellsOf(run, 'here')) expect(row.status).toBe('done');
  });

  it('merges tokens on WebGPU as on a CPU', async () => {
    const options = mergeTokensOptionsSchema.parse({ r: 2, images: 8 });
    const merged: Recipe = { ...fp32, name: 'merged', steps: [{ stage: 'merge-tokens', options }] };
    const suite = runs.suite({
      recipes: [{ recipe: merged, published: undefined }],
      accuracy: { batch: 4, images: 8 },
      performance: { ...runs.suite().performance, batches: [] },
      devices: [
        runs.folder('here.yaml'),
        await profile('gpu', 'kind: browser', 'provider: webgpu', 'adapter: swiftshader'),
      ],
    });
    expect((await runs.execute(suite)).failedCells).toBe(0);
    const run = await stored();
    expect(run.cells.map(({ row }) => [row.status, row.reason])).toEqual(run.cells.map(() => ['done', null]));
    const kernels = cellsOf(run, 'gpu').flatMap(({ rounds }) => rounds.flatMap((round) => round.kernels));
    expect(new Set(kernels.map(({ provider }) => provider))).toEqual(new Set(['WebGpuExecutionProvider']));
    // The logarithms of sizes.
    expect(kernels.some(({ opType }) => opType === 'Log')).toBe(true);
    const { agreement } = reportDocument(analyse(run));
    expect(agreement).toHaveLength(1);
    expect(agreement[0]).toMatchObject({ recipe: 'merged', images: 8, sameClass: { value: 1 } });
    expect(agreement[0]!.largestLogitDifference).toBeLessThan(1e-3);
  }, 180_000);

  it('does not count as failed what a device has no kernels for', async () => {
    const suite = runs.suite({
      recipes: runs.suite().recipes.slice(1),
      accuracy: { batch: 4, images: 4 },
      performance: { ...runs.suite().performance, batches: [] },
      devices: [await profile('gpu', 'kind: browser', 'provider: webgpu', 'adapter: swiftshader')],
    });
    // A file with the CPU's operators in the place of one for WebGPU.
    const foreign = runs.folder('cpu.onnx');
    await writeFile(foreign, await serializeModel(buildGraph((await loadFolder(microDirectory)).vit)));
    const artifacts = runs.folder('cache', 'entries', 'artifact');
    const known = new Set<string>();
    const compressed = ({ variant }: { variant: string }): void => {
      for (const name of readdirSync(artifacts).filter((each) => !known.has(each))) {
        known.add(name);
        if (variant.endsWith('int8')) copyFileSync(foreign, join(artifacts, name, 'files', 'model.onnx'));
      }
    };
    const said: (string | undefined)[] = [];
    const measured = ({ failure }: { failure: { status: string } | undefined }): void =>
      void said.push(failure?.status);
    expect((await runs.execute(suite, { measured, compressed })).failedCells).toBe(0);
    expect(said).toEqual(['unsupported', 'unsupported']);
    const run = await stored();
    const { row } = run.cells.find(({ variant }) => variant.recipe === 'int8')!;
    expect(row.status).toBe('unsupported');
    expect(parseFailure(row.reason ?? '')).toMatchObject({
      kind: 'no-kernels',
      text: expect.stringContaining('WebGPU') as unknown,
    });
    const { notes } = mainTable(analyse(run));
    expect(notes.filter((note) => note.startsWith('∅ int8'))).toHaveLength(1);
  }, 120_000);
});
