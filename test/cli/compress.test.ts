import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { readModel } from '../../src/onnx/file.js';
import { backboneFiles } from '../support/backbone.js';
import { edgeflex, type Outcome } from './support.js';

const MODEL = 'suites/models/vit-micro-shapes10';
const RECIPE = 'suites/recipes/edgeflex.yaml';

describe('edgeflex compress', () => {
  let folder: string;
  let outcome: Outcome;

  const compress = (...args: string[]): Promise<Outcome> =>
    edgeflex(['compress', MODEL, '--recipe', RECIPE, ...args], { EDGEFLEX_CACHE: join(folder, 'cache') });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
    outcome = await compress('-o', join(folder, 'out'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('writes a model that has lost neurons and runs in int8, and says what each stage did', async () => {
    expect(outcome.err).toBe('');
    expect(outcome.code).toBe(exitCodes.fine);
    for (const stage of ['profile', 'shrink', 'precision', 'quantize']) expect(outcome.out).toContain(stage);
    expect(await readdir(join(folder, 'out'))).toEqual(
      expect.arrayContaining([
        'model.onnx',
        'model.onnx.data',
        'preprocess.onnx',
        'report.json',
        'profile.json',
      ]),
    );
    const model = await readModel(join(folder, 'out', 'model.onnx'));
    const ops = model.nodes.map(({ opType }) => opType);
    expect(ops).toContain('MatMulIntegerToFloat');
    const before = (await readFile(join(MODEL, 'model.safetensors'))).length;
    const after = (await readFile(join(folder, 'out', 'model.onnx.data'))).length;
    expect(after).toBeLessThan(before / 3);
  });

  test('prints the report of the stages as JSON, the second time from the cache', async () => {
    const { out, code } = await compress('-o', join(folder, 'again'), '--json');
    expect(code).toBe(exitCodes.fine);
    const report = JSON.parse(out) as { stages: { stage: string; parameters: number }[] };
    expect(report.stages.map(({ stage }) => stage)).toEqual(['profile', 'shrink', 'precision', 'quantize']);
    expect(report.stages[1]!.parameters).toBeLessThan(report.stages[0]!.parameters);
    const file = JSON.parse(await readFile(join(folder, 'again', 'report.json'), 'utf8')) as object;
    expect({ schemaVersion: 1, ...file }).toEqual(report);
    expect((await compress('-o', join(folder, 'again'))).out).toContain('(from the cache)');
  });

  test('writes the same bytes for the same seed', async () => {
    const elsewhere = { EDGEFLEX_CACHE: join(folder, 'another cache') };
    await edgeflex(['compress', MODEL, '--recipe', RECIPE, '-o', join(folder, 'b')], elsewhere);
    for (const file of ['model.onnx', 'model.onnx.data'])
      expect(await readFile(join(folder, 'b', file))).toEqual(await readFile(join(folder, 'out', file)));
  });

  test('tells of all stages from the same column on', async () => {
    const recipe = join(folder, 'long.yaml');
    await writeFile(recipe, 'name: long\nstages:\n  - merge-tokens: { r: 1, images: 8 }\n  - head: {}\n');
    const { out } = await compress('--recipe', recipe, '-o', join(folder, 'long'));
    const lines = out.split('\n').slice(0, 4);
    expect(lines.map((line) => line.search(/\S/))).toEqual([2, 16, 2, 16]);
    expect(lines[2]).toMatch(/^ {2}head {10}\S/);
  });

  test('refuses to fit a head behind a recipe to a model that stays without one', async () => {
    const [backbone, recipe] = [join(folder, 'backbone'), join(folder, 'refit.yaml')];
    await mkdir(backbone);
    for (const [name, content] of Object.entries(await backboneFiles()))
      await writeFile(join(backbone, name), content);
    await writeFile(recipe, 'name: refit\nstages:\n  - head: { images: 64 }\n');
    const { code, err } = await edgeflex(
      [
        ...['compress', backbone, '--dataset', 'shapes10', '--recipe', recipe],
        ...['--head', 'none', '-o', join(folder, 'headless')],
      ],
      { EDGEFLEX_CACHE: join(folder, 'cache') },
    );
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain('recipe refit: head');
  });
});
