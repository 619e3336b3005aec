import { isStepOf } from '../../src/compress/stage.js';
import { mergeTokensStage } from '../../src/compress/stages/merge-tokens.js';
import { mkdirSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { InputFault } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import { square } from '../../src/base/size.js';
import { candidatesFor } from '../../src/compress/merge-tokens/schedule.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { planOf } from '../../src/suite/plan.js';
import { readRecipe, readSuite, withOverrides } from '../../src/suite/read.js';
import { readDeviceProfile } from '../../src/device/profile.js';
import { microDirectory, shapesDirectory } from '../support/micro.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();

/** A suite with every section, line by line. */
const lines = [
  'name: tiny',
  'data: { name: shapes10, path: images }',
  'models:',
  '  - path: models/micro',
  '  - { synthetic: vit-tiny, imageSize: 32, name: drawn }',
  'recipes:',
  '  - recipe.yaml',
  '  - name: int8',
  '    stages:',
  '      - quantize: { format: w8a8 }',
  'devices: [here.yaml]',
  'performance: { batches: [1, 4], tier: rapid, rounds: 2 }',
];

/** Writes the suite with some of its lines (counted from 1) replaced. */
async function written(changes: Readonly<Record<number, string>> = {}): Promise<string> {
  const text = lines.map((line, index) => changes[index + 1] ?? line).join('\n');
  await writeFile(folder('suite.yaml'), text);
  return folder('suite.yaml');
}

async function refusalWith(changes: Readonly<Record<number, string>>): Promise<InputFault> {
  const path = await written(changes);
  return refusalOf(() => readSuite(path));
}

beforeEach(async () => {
  await writeFile(folder('recipe.yaml'), 'name: half\nstages:\n  - prune: { ratio: 0.5 }\n');
});

describe('the suites that EdgeFlex brings', () => {
  const suites = join(packageRoot(), 'suites');
  const brought = readdirSync(suites).filter((file) => file.endsWith('.yaml'));

  it('hold what `npm start` runs', async () => {
    const suite = await readSuite(join(suites, 'quickstart.yaml'));
    expect(suite.recipes.map(({ recipe }) => recipe.name)).toEqual(
      expect.arrayContaining(['fp32', 'edgeflex']),
    );
    expect(suite.models.map((model) => model.kind === 'path' && model.path)).toEqual([microDirectory]);
    expect(suite.data.path).toBe(shapesDirectory);
  });

  it.each(brought)('%s can be read and planned, and what it names is there', async (file) => {
    const suite = await readSuite(join(suites, file));
    expect(suite.name).toBe(file.replace(/\.yaml$/, ''));
    for (const path of suite.devices) await readDeviceProfile(path);
    for (const model of suite.models)
      if (model.kind === 'path') expect(readdirSync(model.path)).toContain('config.json');
    const { batches, rounds } = suite.performance;
    const { server, offline, rounds: loadRounds = 0 } = suite.load ?? {};
    const loads = [server, offline].reduce((sum, load) => sum + (load?.batches.length ?? 0), 0);
    const cells = suite.models.length * suite.recipes.length * suite.devices.length;
    expect(planOf(suite).rounds).toHaveLength(cells * (2 + batches.length * rounds + loads * loadRounds));
    // A schedule that a model is too small for would show only after what comes before it was done.
    for (const model of suite.models) {
      if (model.kind === 'hub') continue;
      const { vit } = await loadModel(await modelHere(model), ['a', 'b']);
      for (const { recipe } of suite.recipes) {
        const halved = recipe.steps.some(({ stage }) => stage === 'prune')
          ? { ...vit.config, mlpSizes: vit.config.mlpSizes.map((width) => width / 2) }
          : vit.config;
        for (const step of recipe.steps)
          if (isStepOf(mergeTokensStage, step))
            expect(candidatesFor(halved, step.options).length).toBeGreaterThan(0);
      }
    }
  });
});

describe('a suite', () => {
  it('is read with paths from where it lies, defaults filled in and fp32 first', async () => {
    const suite = await readSuite(await written());
    expect(suite).toMatchObject({
      ...{ name: 'tiny', seed: 1, path: folder('suite.yaml') },
      data: { name: 'shapes10', path: folder('images') },
      devices: [folder('here.yaml')],
      accuracy: { batch: 64 },
      performance: { batches: [1, 4], tier: 'rapid', rounds: 2 },
    });
    expect(suite.models).toEqual([
      { kind: 'path', name: 'micro', path: folder('models', 'micro') },
      { kind: 'synthetic', name: 'drawn', architecture: 'vit-tiny', imageSize: square(32), seed: 1 },
    ]);
    expect(suite.recipes.map(({ recipe }) => [recipe.name, recipe.steps.length])).toEqual([
      ['fp32', 0],
      ['half', 1],
      ['int8', 1],
    ]);
  });

  it('may say which head a model gets, and have every recipe with its head fitted anew, too', async () => {
    const names = async (head: string): Promise<string[]> =>
      (await readSuite(await written({ 12: head }))).recipes.map(({ recipe }) => recipe.name);
    expect(await names('')).toEqual(['fp32', 'half', 'int8']);
    expect(await names('head: logistic')).toEqual(['fp32', 'half', 'int8']);
    expect(await names('head: { kind: logistic, images: 99, refit: true }')).toEqual([
      ...['fp32', 'half', 'half+head', 'int8', 'int8+head'],
    ]);
    const suite = await readSuite(await written({ 12: 'head: { kind: logistic, images: 99, refit: true }' }));
    expect(suite.head).toEqual({ kind: 'logistic', images: 99, refit: true });
    expect(suite.recipes[2]!.recipe.steps.map(({ stage }) => stage)).toEqual(['prune', 'head']);
    expect(suite.recipes[2]!.recipe.steps[1]!.options).toEqual({ kind: 'logistic', images: 99 });
    const without = withOverrides(suite, { devices: [], images: undefined, head: { refit: false } });
    expect(without.recipes.map(({ recipe }) => recipe.name)).toEqual(['fp32', 'half', 'int8']);
    expect(without.head).toEqual({ kind: 'logistic', images: 99, refit: false });
    const own = await written({ 10: '      - head: {}', 12: 'head: { kind: ridge, refit: true }' });
    expect((await readSuite(own)).recipes.map(({ recipe }) => recipe.name)).toEqual([
      ...['fp32', 'half', 'half+head', 'int8'],
    ]);
    const corrected = await readSuite(
      await written({ 10: '      - correct-head: {}', 12: 'head: { kind: ridge, refit: true }' }),
    );
    const stages = corrected.recipes.map(({ recipe }) => recipe.steps.map(({ stage }) => stage).join(', '));
    expect(stages).toEqual(['', 'prune', 'prune, head', 'correct-head', 'head']);
  });

  it('may leave models without a head, and says how neighbours vote', async () => {
    const head = async (text: string): Promise<unknown> =>
      (await readSuite(await written({ 12: `head: ${text}` }))).head;
    expect(await head('none')).toEqual({ kind: 'none', neighbours: 20, images: 5000 });
    expect(await head('{ kind: none, neighbours: 5, images: 90 }')).toEqual({
      ...{ kind: 'none', neighbours: 5, images: 90 },
    });
    const suite = await readSuite(await written({ 12: 'head: none' }));
    const asked = { devices: [], images: undefined };
    const refused = await refusalOf(() => withOverrides(suite, { ...asked, head: { refit: true } }));
    expect(refused.source).toBe('--refit');
    expect(withOverrides(suite, { ...asked, head: { kind: 'ridge', refit: true } }).recipes).toHaveLength(5);
    const mixed = await refusalWith({ 12: 'head: { kind: none, refit: true }' });
    expect(mixed.found + mixed.expected).toContain('refit');
  });

  it('refuses a head of another kind, and two variants of one name', async () => {
    const unknown = await refusalWith({ 12: 'head: svm' });
    expect(unknown.source).toBe(`${folder('suite.yaml')}:12`);
    expect(unknown.place).toContain('head');
    const twice = await refusalWith({
      ...{ 8: '  - name: half+head', 12: 'head: { kind: ridge, refit: true }' },
    });
    expect(twice.found).toContain('half+head');
  });

  it('may name a model of the Hub, and its revision', async () => {
    const hub = (text: string): Promise<string> => written({ 4: `  - { hub: ${text} }`, 5: '' });
    expect((await readSuite(await hub('google/vit-tiny, revision: v1'))).models).toEqual([
      { kind: 'hub', name: 'vit-tiny', repository: 'google/vit-tiny', revision: 'v1' },
    ]);
    expect((await readSuite(await hub('a/b'))).models).toMatchObject([{ revision: 'main' }]);
    await expect(readSuite(await hub('vit-tiny'))).rejects.toThrow(
      /the id of a model on the Hub, owner\/name/,
    );
  });

  it('may have ONNX files that are run as they are, as models and beside the variants of one', async () => {
    const beside = (more: string): string => `  - { raw: theirs/their int8.onnx, output: y${more} }`;
    const path = await written({
      ...{
        5: '  - { raw: other.onnx, preprocessor: images.json }',
        8: beside(', model: micro'),
        9: '',
        10: '',
      },
    });
    const suite = await readSuite(path);
    expect(suite.models[1]).toEqual({
      ...{ kind: 'path', name: 'other', path: folder('other.onnx') },
      raw: { output: undefined, preprocessor: folder('images.json') },
    });
    expect(suite.recipes[2]).toMatchObject({
      recipe: { name: 'their-int8', steps: [] },
      raw: { path: folder('theirs/their int8.onnx'), model: 'micro', output: 'y' },
    });
    const names = (raw: ReadonlySet<string>): string[] =>
      planOf(suite, raw).variants.map(({ model, recipe }) => `${model.name} ${recipe.recipe.name}`);
    expect(names(new Set())).toEqual(['micro fp32', 'micro half', 'micro their-int8', 'other raw']);
    expect(names(new Set(['micro']))).toEqual(['micro raw', 'micro their-int8', 'other raw']);

    const lost = await written({ 8: beside(''), 9: '', 10: '' });
    expect((await refusalOf(() => readSuite(lost))).found).toContain('2 models');
    const unknown = await written({ 8: beside(', model: mikro'), 9: '', 10: '' });
    expect((await refusalOf(() => readSuite(unknown))).found).toContain('mikro');
  });

  it('may bring what others published along with a recipe', async () => {
    const published = '{ source: s, model: m, hardware: h, figures: [f] }';
    const inline = `  - { name: int8, stages: [{ quantize: {} }], published: ${published} }`;
    const path = await written({
      ...{ 7: `  - { recipe: recipe.yaml, published: ${published} }` },
      ...{ 8: inline, 9: '', 10: '' },
    });
    const { recipes } = await readSuite(path);
    const own = { source: 's', model: 'm', hardware: 'h', figures: ['f'] };
    expect(recipes.map((each) => each.published)).toEqual([undefined, own, own]);
  });

  it.each<[string, Record<number, string>, number, string, string, string]>([
    [
      'a key that is not known',
      { 12: 'latency: 5' },
      12,
      'latency',
      'unknown key "latency"',
      'models, recipes, devices',
    ],
    [
      'more rounds than anybody waits for',
      { 12: 'performance: { rounds: 100000000 }' },
      ...([12, 'performance.rounds', '100000000', 'at most 1000'] as const),
    ],
    [
      'a batch that no memory holds',
      { 12: 'performance: { batches: [1, 999999999999] }' },
      ...([12, 'performance.batches.1', '999999999999', 'at most 4096'] as const),
    ],
    ['a value of another type', { 1: 'name: [tiny]' }, 1, 'name', '["tiny"]', 'a string'],
    [
      'an image set that is not known',
      { 2: 'data: { name: imagenet }' },
      2,
      'data.name',
      '"imagenet"',
      'cifar10',
    ],
    ['no model', { 3: 'models: []', 4: '', 5: '' }, 3, 'models', '[]', 'at least 1'],
    [
      'a tier that is not known',
      { 12: 'performance: { tier: slow }' },
      12,
      'performance.tier',
      '"slow"',
      'rapid',
    ],
    [
      'a batch of no image',
      { 12: 'performance: { batches: [1, 0] }' },
      12,
      'performance.batches.1',
      '0',
      'more than 0',
    ],
    [
      'a precision that nothing can have',
      { 12: 'performance: { precision: 1.5 }' },
      12,
      'performance.precision',
      '1.5',
      'less than 1',
    ],
    [
      'fewer rounds at most than at least',
      { 12: 'performance: { rounds: 5, precision: 0.01, maxRounds: 4 }' },
      12,
      'performance.maxRounds',
      '4',
      'at least the number of rounds',
    ],
    [
      'load without any',
      { 12: 'load: { tier: rapid }' },
      ...([12, 'load', '{"tier":"rapid"}', 'server, offline or both'] as const),
    ],
    [
      'a server without a bound',
      { 12: 'load: { server: { batches: [1] } }' },
      ...([12, 'load.server.p99', 'nothing', 'a number'] as const),
    ],
    [
      'a bound that nothing meets',
      { 12: 'load: { server: { p99: 0 } }' },
      ...([12, 'load.server.p99', '0', 'more than 0'] as const),
    ],
    [
      'a batch size twice',
      { 12: 'performance: { batches: [2, 2] }' },
      12,
      'performance.batches',
      '[2,2]',
      'different batch sizes',
    ],
    [
      'a stage that is not known',
      { 10: '      - distil: {}' },
      10,
      'recipes.1.stages.0.distil',
      'the unknown stage "distil"',
      'profile, resize-patches, prune, prune-attention, merge-tokens, shrink, precision, quantize, correct-head, head',
    ],
    [
      'an option of a stage that is not known',
      { 10: '      - quantize: { bits: 8 }' },
      10,
      'recipes.1.stages.0.quantize.bits',
      'unknown key "bits"',
      'format, keep, alpha',
    ],
    [
      'two stages in one step',
      { 10: '      - { quantize: {}, profile: {} }' },
      10,
      'recipes.1.stages.0',
      'the keys quantize, profile',
      'one stage with its options',
    ],
    [
      'two models of one name',
      { 5: '  - path: other/micro' },
      5,
      'models.1',
      'a second model called micro',
      'different names',
    ],
    [
      'two recipes of one name',
      { 8: '  - name: half' },
      8,
      'recipes.1',
      'a second recipe called half',
      'different names',
    ],
    [
      'a recipe called like the baseline',
      { 8: '  - name: fp32' },
      8,
      'recipes.1',
      'called fp32',
      'different names',
    ],
  ])('with %s is refused at its line', async (_, changes, line, place, found, expected) => {
    const fault = await refusalWith(changes);
    expect(fault.source).toBe(`${folder('suite.yaml')}:${line}`);
    expect(fault.place).toBe(place);
    expect(fault.found).toContain(found);
    expect(fault.expected).toContain(expected);
  });

  it('is refused when it is not YAML, with line and column', async () => {
    const fault = await refusalWith({ 2: 'data: { name: shapes10' });
    expect(fault.source).toBe(folder('suite.yaml'));
    expect(fault.place).toMatch(/^line \d+, column \d+$/);
    expect(fault.expected).toBe('a suite in YAML');
  });

  it('is refused when it is not there, empty, or a folder', async () => {
    const none = await refusalOf(() => readSuite(folder('none.yaml')));
    expect(none).toMatchObject({ source: folder('none.yaml'), expected: 'a suite' });
    await writeFile(folder('empty.yaml'), '');
    expect((await refusalOf(() => readSuite(folder('empty.yaml')))).expected).toMatch(/^an object with name/);
    mkdirSync(folder('folder.yaml'));
    expect((await refusalOf(() => readSuite(folder('folder.yaml')))).expected).toBe('a suite');
  });
});

describe('what a user asks for in place of what a suite says', () => {
  it('takes the place of devices and images, and leaves the rest', async () => {
    const suite = await readSuite(await written());
    const changed = withOverrides(suite, { devices: ['a.yaml', '/b.yaml'], images: 7 });
    expect(changed.devices).toEqual([resolve('a.yaml'), '/b.yaml']);
    expect(changed.accuracy).toEqual({ ...suite.accuracy, images: 7 });
    expect({ ...changed, devices: suite.devices, accuracy: suite.accuracy }).toEqual(suite);
    expect(withOverrides(suite, { devices: [], images: undefined })).toEqual(suite);
  });

  it('stands beside the only model, where it is an ONNX file as it is', async () => {
    const suite = await readSuite(await written({ 5: '' }));
    const { recipes } = withOverrides(suite, { devices: [], images: undefined, raws: ['a/b.onnx'] });
    expect(recipes.at(-1)).toMatchObject({ recipe: { name: 'b' }, raw: { path: resolve('a/b.onnx') } });
    const several = await readSuite(await written());
    const refused = (raws: string[], of = suite) =>
      refusalOf(() =>
        Promise.resolve().then(() => withOverrides(of, { devices: [], images: undefined, raws })),
      );
    expect((await refused(['a.onnx'], several)).found).toContain('2 models');
    expect((await refused(['int8.onnx'])).found).toContain('int8');
  });

  it('changes how long is timed, and no other thing about timing', async () => {
    const suite = await readSuite(
      await written({ 12: 'performance: { batches: [2], rounds: 3, maxRounds: 4 }' }),
    );
    const none = { devices: [], images: undefined };
    const changed = withOverrides(suite, { ...none, batches: [1, 64], tier: 'rapid', rounds: 5 });
    expect(changed).toEqual({
      ...suite,
      performance: { batches: [1, 64], tier: 'rapid', rounds: 5, maxRounds: 5 },
    });
    expect(withOverrides(suite, { ...none, rounds: 3 }).performance).toEqual({
      ...suite.performance,
      rounds: 3,
    });
  });
});

describe('a recipe file', () => {
  it('that a suite names and that is not there is refused where the suite names it, by its path', async () => {
    const fault = await refusalWith({ 7: '  - absent.yaml' });
    expect(fault).toMatchObject({ place: 'recipes.0', expected: 'a recipe' });
    expect(fault.source).toMatch(/:7$/);
    expect(fault.found).toContain(folder('absent.yaml'));
  });

  it('is refused at its own line, not at the suite’s', async () => {
    await writeFile(folder('recipe.yaml'), 'name: half\nstages:\n  - prune:\n      ratio: 1.5\n');
    const fault = await refusalWith({});
    expect(fault).toMatchObject({
      source: `${folder('recipe.yaml')}:4`,
      ...{ place: 'stages.0.prune.ratio', found: '1.5', expected: 'less than 1' },
    });
  });

  it('may leave out the options of a stage', async () => {
    await writeFile(folder('plain.yaml'), 'name: plain\nstages: [{ quantize: }]\nmicroBatch: 2\n');
    const recipe = await readRecipe(folder('plain.yaml'));
    expect(recipe.steps).toMatchObject([{ stage: 'quantize', options: { format: 'w8a8' } }]);
    expect(recipe.microBatch).toBe(2);
  });
});
