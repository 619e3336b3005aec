import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InputFault } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import { planOf } from '../../src/suite/plan.js';
import { readSuite, withOverrides, type Suite } from '../../src/suite/read.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

const pipeline = ['prune: { prune: { ratio: 0.5 } }', 'int8: { quantize: { format: w8a8 } }'];

/** A suite of one model with a matrix: lines of its stages, and of what else it has. */
async function suiteWith(stages: readonly string[], more: readonly string[] = []): Promise<Suite> {
  const lines = [
    ...['name: tiny', 'data: { name: shapes10 }', 'models: [{ synthetic: vit-tiny, imageSize: 32 }]'],
    ...['devices: [here.yaml]', 'matrix:', '  stages:', ...stages.map((line) => `    ${line}`)],
    ...more.map((line) => `  ${line}`),
  ];
  await writeFile(folder('suite.yaml'), lines.join('\n'));
  return readSuite(folder('suite.yaml'));
}

const namesOf = ({ recipes }: Suite): string[] => recipes.map(({ recipe }) => recipe.name);
const levelsOf = ({ design }: Suite): Record<string, string>[] =>
  design!.points.map(({ recipe, levels }) => ({
    recipe,
    ...Object.fromEntries(
      design!.factors.map(({ name, levels: all }, index) => [name, all[levels[index]!]!]),
    ),
  }));

describe('a matrix', () => {
  it('is every subset of its stages, in the order of the pipeline, fp32 for none', async () => {
    const suite = await suiteWith(pipeline);
    expect(namesOf(suite).sort()).toEqual(['fp32', 'int8', 'prune', 'prune+int8']);
    expect(levelsOf(suite)).toEqual([
      { recipe: 'fp32', prune: 'off', int8: 'off' },
      { recipe: 'int8', prune: 'off', int8: 'on' },
      { recipe: 'prune', prune: 'on', int8: 'off' },
      { recipe: 'prune+int8', prune: 'on', int8: 'on' },
    ]);
    const whole = suite.recipes.find(({ recipe }) => recipe.name === 'prune+int8')!.recipe;
    expect(whole.steps.map(({ stage }) => stage)).toEqual(['prune', 'quantize']);
    expect(whole.steps[0]!.options).toMatchObject({ ratio: 0.5 });
    expect(planOf(suite).variants).toHaveLength(4);
  });

  it('of the suite that EdgeFlex brings has sixteen variants', async () => {
    const suite = await readSuite(join(packageRoot(), 'suites', 'ablation.yaml'));
    expect(new Set(namesOf(suite)).size).toBe(16);
    expect(namesOf(suite)).toEqual(expect.arrayContaining(['fp32', 'merge', 'prune+merge+fp16+int8']));
  });

  it('varies options, the images of all stages that have some, and seeds', async () => {
    const suite = await suiteWith(pipeline, [
      'factors:',
      '  prune: [off, { ratio: 0.25 }, { ratio: 0.5, importance: flap }]',
      '  int8.format: [w8a8, w8]',
      '  images: [32, 64]',
      '  seed: [3, 4]',
    ]);
    expect(suite.design!.points).toHaveLength(24);
    expect(new Set(namesOf(suite)).size).toBe(25);
    const one = suite.recipes.find(({ recipe }) => recipe.name === 'prune-0.25+int8-w8+images-64+seed-4')!;
    expect(one.seed).toBe(4);
    expect(one.recipe.steps.map(({ options }) => options)).toMatchObject([
      { ratio: 0.25, images: 64 },
      { format: 'w8', images: 64 },
    ]);
    expect(namesOf(suite)).toContain('prune-0.5-flap+int8-w8a8+images-32+seed-3');
  });

  it('has one variant where a factor changes nothing', async () => {
    const stages = ['merge: { merge-tokens: { r: 2 } }', 'prune: { prune: { ratio: 0.5 } }'];
    const suite = await suiteWith(stages, [
      ...['factors:', '  merge: [off, on]', '  prune: [off, on]', '  seed: [1, 2]'],
    ]);
    // No image and no seed has a part in no stage at all.
    expect(levelsOf(suite).filter(({ recipe }) => recipe === 'fp32')).toHaveLength(2);
    expect(namesOf(suite)).toHaveLength(7);
  });

  it('names variants by a pattern', async () => {
    const suite = await suiteWith(pipeline, ["name: 'p-{prune}.q-{int8}'"]);
    expect(namesOf(suite).sort()).toEqual(['fp32', 'p-off.q-on', 'p-on.q-off', 'p-on.q-on']);
  });

  it('leaves out what is excluded', async () => {
    const suite = await suiteWith(pipeline, ['exclude:', '  - { prune: on, int8: [on] }']);
    expect(namesOf(suite).sort()).toEqual(['fp32', 'int8', 'prune']);
    expect(suite.design!.points).toHaveLength(3);
  });

  it('varies one factor at a time, or leaves one out', async () => {
    const stages = [pipeline[0]!, "fp16: { precision: { float16: ['*'] } }", pipeline[1]!];
    const single = await suiteWith(stages, ['design: one-at-a-time']);
    expect(namesOf(single).sort()).toEqual(['fp16', 'fp32', 'int8', 'prune']);
    const left = await suiteWith(stages, ['design: leave-one-out']);
    expect(namesOf(left).sort()).toEqual([
      'fp16+int8',
      'fp32',
      'prune+fp16',
      'prune+fp16+int8',
      'prune+int8',
    ]);
    expect(left.design!.points).toHaveLength(4);
  });

  it('measures a fraction, each combination with every seed', async () => {
    const stages = [pipeline[0]!, "fp16: { precision: { float16: ['*'] } }", pipeline[1]!];
    const factors = 'factors: { seed: [1, 2], prune: [off, on], fp16: [off, on], int8: [off, on] }';
    const { design } = await suiteWith(stages, ['design: fractional-factorial', 'resolution: 3', factors]);
    expect(design!.points).toHaveLength(8);
    expect(design!.fraction).toEqual({ resolution: 3, generators: [{ factor: 3, of: [1, 2] }] });
    // The product of the signs of the generator's factors is that of the factor's own.
    for (const { levels } of design!.points)
      expect((2 * levels[1]! - 1) * (2 * levels[2]! - 1)).toBe(2 * levels[3]! - 1);
  });

  it('stands beside recipes, and heads fitted anew keep the seed', async () => {
    const suite = await suiteWith(pipeline.slice(0, 1), ['factors: { prune: [off, on], seed: [5, 6] }']);
    const refit = withOverrides(suite, {
      devices: [],
      images: undefined,
      head: { kind: 'ridge', refit: true },
    });
    const own = refit.recipes.find(({ recipe }) => recipe.name === 'prune+seed-6+head');
    expect(own).toMatchObject({ refits: 'prune+seed-6', seed: 6 });
    expect(refit.design).toEqual(suite.design);
  });

  const refusals: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
    [
      'a factor that there is not',
      pipeline,
      ['factors: { pruned: [off, on] }'],
      ['pruned', '"prune"', 'images'],
    ],
    ['a level that is none', pipeline, ['factors: { prune: [off, maybe] }'], ['maybe', 'off, on']],
    ['one level', pipeline, ['factors: { prune: [on] }'], ['factors.prune']],
    ['two levels of one name', pipeline, ['factors: { prune: [off, off] }'], ['two levels', 'off']],
    ['an unknown stage', ['prune: { prun: {} }'], [], ['prun', '"prune"']],
    ['an unknown option', pipeline, ['factors: { prune.ration: [0.1, 0.2] }'], ['ration', 'ratio']],
    ['an option out of range', pipeline, ['factors: { prune.ratio: [0.1, 7] }'], ['ratio', '7']],
    [
      'an option of a stage that is off',
      pipeline,
      ['factors: { prune: [off, on], prune.ratio: [0.1, 0.2] }'],
      ['prune.ratio', 'off', '{ ratio: 0.1 }'],
    ],
    ['a reserved label', ['seed: { prune: { ratio: 0.5 } }'], [], ['seed']],
    ['seeds alone', pipeline, ['factors: { seed: [1, 2] }'], ['seeds alone']],
    [
      'a seed that is none',
      pipeline,
      ['factors: { prune: [off, on], seed: [1, x] }'],
      ['"x"', 'whole number'],
    ],
    ['a pattern with what is no factor', pipeline, ["name: '{prun}'"], ['{prun}', '"prune"']],
    ['a pattern that gives one name twice', pipeline, ["name: 'x-{prune}'"], ['x-', 'two variants']],
    ['a pattern that gives no name', pipeline, ["name: 'a b{prune}{int8}'"], ['a b']],
    ['an exclusion of nothing', pipeline, ['exclude: [{ prune: half }]'], ['half', 'off, on']],
    ['an exclusion of an unknown factor', pipeline, ['exclude: [{ pune: on }]'], ['pune', '"prune"']],
    [
      'an exclusion that nothing meets',
      pipeline,
      ['design: one-at-a-time', 'exclude: [{ prune: on, int8: on }]'],
      ['no combination'],
    ],
    ['stages that cannot follow each other', pipeline.toReversed(), [], ['prune', 'quantize', 'int8+prune']],
    ['a resolution of a full factorial', pipeline, ['resolution: 3'], ['fractional-factorial']],
    [
      'a fraction that there is not',
      pipeline,
      ['design: fractional-factorial', 'resolution: 3'],
      ['resolution 3', '2 factors'],
    ],
    [
      'a fraction of three levels',
      pipeline,
      ['design: fractional-factorial', 'factors: { prune: [off, { ratio: 0.1 }, on], int8: [off, on] }'],
      ['3 levels'],
    ],
    [
      'more than anybody waits for',
      pipeline,
      [
        'factors:',
        '  prune.ratio: [' + Array.from({ length: 32 }, (_, i) => (i + 1) / 40).join(', ') + ']',
        '  seed: [' + Array.from({ length: 32 }, (_, i) => i).join(', ') + ']',
      ],
      ['1024', '512'],
    ],
  ];

  it.each(refusals)('refuses %s', async (_, stages, more, facts) => {
    const { source, place, found, expected }: InputFault = await refusalOf(() => suiteWith(stages, more));
    expect(source).toContain('suite.yaml:');
    expect(place).toContain('matrix');
    for (const fact of facts) expect(`${place}: ${found} / ${expected}`).toContain(fact);
  });

  it('refuses a name that a recipe of the suite has', async () => {
    await suiteWith(pipeline);
    const text = `recipes: [{ name: prune, stages: [{ prune: { ratio: 0.1 } }] }]\n`;
    await writeFile(folder('suite.yaml'), text + (await readFile(folder('suite.yaml'), 'utf8')));
    expect((await refusalOf(() => readSuite(folder('suite.yaml')))).found).toContain('prune');
  });
});
