import { writeFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { stageFacts } from '../../src/compress/facts.js';
import { compress } from '../../src/compress/pipeline.js';
import { allStages, registerStage } from '../../src/compress/registry.js';
import { defineStage } from '../../src/compress/stage.js';
import { floatEntry, floatsOf } from '../../src/compress/weights.js';
import { stageReference } from '../../src/report/reference.js';
import { stageLine } from '../../src/text/stage-line.js';
import { stageSummaries } from '../../src/analysis/stages.js';
import { readRecipe, readSuite } from '../../src/suite/read.js';
import { weightOf, withWeights } from '../../src/vit/vit.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { logitsOf, openBench, type Bench } from './support.js';

/** All that a new stage takes: this object, and the line that registers it. */
const negate = defineStage({
  name: 'negate-head',
  version: 1,
  description: 'Turns the sign of every logit.',
  options: z.strictObject({
    factor: z.number().negative().default(-1).describe('What the logits are multiplied by.'),
  }),
  report: z.object({ tensors: z.number() }),
  effort: () => 1,
  shape: (vit) => vit,
  async apply(vit, context, { factor }) {
    const entries = await Promise.all(
      ['head.weight', 'head.bias'].map(async (name, index) => {
        context.onProgress(index / 2, name);
        const values = (await floatsOf(vit, name)).map((value) => value * factor);
        return floatEntry(vit, name, weightOf(vit, name).dims, values);
      }),
    );
    return { vit: withWeights(vit, entries), report: { tensors: entries.length } };
  },
  summarise: ({ tensors }) =>
    stageFacts({ headline: [{ label: 'tensors negated', value: tensors, unit: 'count' }] }),
});

const folder = useFolder();
let bench: Bench;

beforeAll(async () => {
  registerStage(negate);
  bench = await openBench();
});

const recipeOf = async (options: string): Promise<Awaited<ReturnType<typeof readRecipe>>> => {
  await writeFile(folder('recipe.yaml'), `name: toy\nstages:\n  - negate-head: ${options}\n`);
  return readRecipe(folder('recipe.yaml'));
};

it('recipes know it: defaults are filled in, faults have their line, its reference is written', async () => {
  expect((await recipeOf('')).steps).toEqual([{ stage: 'negate-head', options: { factor: -1 } }]);
  const fault = await refusalOf(() => recipeOf('{ factor: 2 }'));
  expect(fault.source).toMatch(/:3$/);
  expect(fault).toMatchObject({ place: 'stages.0.negate-head.factor', found: '2' });
  for (const fact of [
    'negate-head',
    'sign of every logit',
    '`factor`',
    'number < 0',
    '`-1`',
    'multiplied by',
  ])
    expect(stageReference(allStages())).toContain(fact);
});

it('a matrix takes it, but no number of images for it, since it observes none', async () => {
  const lines = [
    ...['name: toy', 'data: { name: shapes10 }', 'models: [{ synthetic: vit-tiny, imageSize: 32 }]'],
    ...['devices: [here.yaml]', 'matrix:', '  stages:', '    negated: { negate-head: {} }'],
  ];
  await writeFile(folder('suite.yaml'), lines.join('\n'));
  const { recipes } = await readSuite(folder('suite.yaml'));
  expect(recipes.map(({ recipe }) => recipe.name)).toEqual(['fp32', 'negated']);
  const images = '  factors: { negated: [off, on], images: [1, 2] }';
  await writeFile(folder('suite.yaml'), [...lines, images].join('\n'));
  const fault = await refusalOf(() => readSuite(folder('suite.yaml')));
  expect(fault.place).toBe('matrix.factors.images');
  expect(fault.expected).toContain('images');
});

it('the pipeline runs it, tells of it, and reports say what it did', async () => {
  const told: string[] = [];
  const made = await compress(bench.vit, await recipeOf('{ factor: -2 }'), {
    ...bench.context,
    onProgress: (_done, what) => told.push(what),
  });
  expect(told).toContain('negate-head: head.weight');
  const before = await logitsOf(bench, bench.vit);
  const after = await logitsOf(bench, made.vit);
  for (const [index, logit] of before.entries()) expect(after[index]).toBeCloseTo(-2 * logit, 3);
  const [summary] = stageSummaries(JSON.parse(JSON.stringify(made.stages)));
  expect(summary).toMatchObject({ stage: 'negate-head', options: { factor: -2 } });
  expect(summary && stageLine(summary)).toBe('tensors negated: 2');
});

it('another stage of its name is refused', () => {
  expect(() => registerStage({ ...negate })).toThrow(/negate-head/);
});
