import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../src/base/schema.js';
import { parseRecipe, type Recipe } from '../../src/compress/recipe.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

async function parsed(...lines: string[]): Promise<Recipe> {
  await writeFile(folder('recipe.yaml'), lines.join('\n'));
  const file = await readYaml(folder('recipe.yaml'), 'a recipe');
  return parseRecipe(file, [], file.value);
}

describe('a recipe', () => {
  it('keeps its stages in the order of the file, also one that comes twice', async () => {
    const { steps } = await parsed(
      'name: r',
      'stages:',
      '  - precision: {}',
      '  - profile:',
      '  - prune: { ratio: 0.25 }',
      '  - profile: { images: 3 }',
      '  - quantize: { format: w4 }',
    );
    expect(steps.map(({ stage }) => stage)).toEqual(['precision', 'profile', 'prune', 'profile', 'quantize']);
  });

  it('is refused at the stage that cannot follow those before it', async () => {
    for (const [first, second] of [
      ['quantize:', 'prune: { ratio: 0.25 }'],
      ['quantize:', 'quantize: { format: w8 }'],
      ['merge-tokens: { r: 2 }', 'merge-tokens: { r: 1 }'],
      ['head:', 'head: { images: 9 }'],
    ] as const) {
      const refusal = parsed('name: r', 'stages:', `  - ${first}`, `  - ${second}`);
      await expect(refusal).rejects.toMatchObject({
        fault: {
          source: expect.stringMatching(/:4$/) as unknown,
          place: `stages.1.${second.split(':')[0] ?? ''}`,
        },
      });
    }
  });

  it('fills in what is not said, and keeps what is', async () => {
    const { steps, microBatch, description } = await parsed(
      'name: r',
      'microBatch: 4',
      'stages: [{ prune: { ratio: 0.5, multiple: 64 } }, { quantize: }]',
    );
    expect(microBatch).toBe(4);
    expect(description).toBe('');
    expect(steps[0]!.options).toMatchObject({ ratio: 0.5, multiple: 64, importance: 'obs' });
    expect(steps[1]!.options).toMatchObject({ format: 'w8a8', alpha: 'search', biasCorrection: true });
  });

  it('without stages is the baseline under another name', async () => {
    expect(await parsed('name: nothing', 'stages: []')).toMatchObject({ steps: [], microBatch: undefined });
  });
});

describe('a recipe with a fault is refused with line, place, what was found and what is expected:', () => {
  it.each<[string, string, number, string, RegExp, RegExp]>([
    [
      'an unknown stage',
      '- distil: {}',
      4,
      'stages.1.distil',
      /unknown stage "distil"/,
      /^profile, .*prune, /,
    ],
    ['a stage of every object', '- toString: {}', 4, 'stages.1.toString', /unknown stage/, /^profile, /],
    [
      'two stages in one',
      '- { prune: {}, profile: {} }',
      4,
      'stages.1',
      /the keys prune, profile/,
      /^one stage/,
    ],
    ['no stage', '- {}', 4, 'stages.1', /^no stage$/, /^one stage with its options$/],
    ['a bare name', '- prune', 4, 'stages.1', /"prune"/, /an object/],
    ['an unknown option', '- profile: { pictures: 9 }', 4, 'stages.1.profile.pictures', /"pictures"/, /./],
    ['a ratio of one', '- prune: { ratio: 1 }', 4, 'stages.1.prune.ratio', /^1$/, /less than 1/],
    [
      'a batch that no memory holds',
      '- prune: { budget: { memory: 9, batch: 900000000000 } }',
      4,
      'stages.1.prune.budget.batch',
      /900000000000/,
      /4096/,
    ],
    ['a negative ratio', '- prune: { ratio: -0.5 }', 4, 'stages.1.prune.ratio', /^-0\.5$/, /more than 0/],
    [
      'a ratio and a budget',
      '- prune: { ratio: 0.5, budget: { parameters: 1 } }',
      4,
      'stages.1.prune',
      /./,
      /either/,
    ],
    ['neither of them', '- prune: {}', 4, 'stages.1.prune', /./, /either a ratio or a budget/],
    [
      'a budget of nothing',
      '- prune: { budget: { parameters: 0 } }',
      4,
      'stages.1.prune.budget.parameters',
      /^0$/,
      /more than 0/,
    ],
    [
      'an unknown importance',
      '- prune: { ratio: 0.5, importance: luck }',
      4,
      'stages.1.prune.importance',
      /"luck"/,
      /"obs"/,
    ],
    [
      'an unknown format',
      '- quantize: { format: w2 }',
      4,
      'stages.1.quantize.format',
      /"w2"/,
      /"w8a8" or "qdq" or "dynamic" or "w8" or "w4"/,
    ],
    ['an α beyond one', '- quantize: { alpha: 1.5 }', 4, 'stages.1.quantize.alpha', /^1\.5$/, /./],
    ['an odd block size', '- quantize: { blockSize: 48 }', 4, 'stages.1.quantize.blockSize', /^48$/, /32/],
    ['half an image', '- profile: { images: 1.5 }', 4, 'stages.1.profile.images', /1\.5/, /integer/],
    [
      'a percentile below the median',
      '- profile: { percentiles: [99, 20] }',
      4,
      'stages.1.profile.percentiles.1',
      /^20$/,
      /more than 50/,
    ],
    ['no headroom', '- precision: { headroom: 0 }', 4, 'stages.1.precision.headroom', /^0$/, /more than 0/],
    ['a number that is none', '- prune: { ratio: .nan }', 4, 'stages.1.prune.ratio', /NaN/, /number/],
  ])('%s', async (_, entry, line, place, found, expected) => {
    const fault = await refusalOf(() => parsed('name: r', 'stages:', '  - profile: {}', `  ${entry}`));
    expect(fault.source).toBe(`${folder('recipe.yaml')}:${line}`);
    expect(fault.place).toBe(place);
    expect(fault.found).toMatch(found);
    expect(fault.expected).toMatch(expected);
  });

  it.each([
    ['name', 'name: a b', 1],
    ['microBatch', 'microBatch: 0', 2],
    ['stages', 'stages: { prune: {} }', 2],
    ['extra', 'extra: 1', 2],
  ])('at "%s"', async (place, entry, line) => {
    const lines = line === 1 ? [entry, 'stages: []'] : ['name: r', entry];
    if (!entry.startsWith('stages') && line === 2) lines.push('stages: []');
    const fault = await refusalOf(() => parsed(...lines));
    expect(fault).toMatchObject({ source: `${folder('recipe.yaml')}:${line}`, place });
  });
});
