import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { locateData } from '../../src/run/locate-data.js';
import { readSuite } from '../../src/suite/read.js';
import { edgeflexProcess, type Outcome } from '../cli/support.js';
import { temporaryDirectory } from './support/cifar.js';
import { inSets } from './support/oracle.js';

const fixtures = join(packageRoot(), 'test', 'data', 'fixtures', 'images');

let root: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  vi.stubEnv('EDGEFLEX_CACHE', join(root, 'cache'));
  vi.spyOn(process, 'cwd').mockReturnValue(root);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  for (const split of ['train', 'test'])
    for (const [label, file] of [
      ['cat', split === 'train' ? 'png/rgb.png' : 'folder/cat/wide.png'],
      ['dog', split === 'train' ? 'png/grey16-small.png' : 'folder/dog/tall.png'],
    ] as const) {
      await mkdir(join(root, 'pets', split, label), { recursive: true });
      await cp(join(fixtures, file), join(root, 'pets', split, label, 'image.png'));
    }
});

const run = (...args: string[]): Promise<Outcome> =>
  edgeflexProcess(['data', ...args], { EDGEFLEX_CACHE: join(root, 'cache') }, root);

async function suite(data: string): Promise<Awaited<ReturnType<typeof readSuite>>['data']> {
  const path = join(root, 'suite.yaml');
  await writeFile(path, `name: s\nmodels: [{ synthetic: vit-tiny }]\ndevices: [local-cpu]\ndata: ${data}\n`);
  return (await readSuite(path)).data;
}

describe('images of a user', () => {
  test('are declared in a suite by their path, or in full', async () => {
    const path = join(root, 'pets');
    expect(await suite('./pets')).toMatchObject({ name: 'pets', declared: { name: 'pets', path } });
    expect(await suite('{ path: ../My Pets, holdout: 0.2 }')).toMatchObject({
      name: 'my-pets',
      declared: { holdout: 0.2 },
    });
    expect(await suite('shapes10')).toEqual({ name: 'shapes10', path: undefined });
    expect(await suite('{ name: cifar10, path: pets }')).toEqual({ name: 'cifar10', path });
    await expect(suite('{ name: cifar10, holdout: 0.2 }')).rejects.toThrow('holdout');
    await expect(suite('shapes1')).rejects.toThrow('did you mean "shapes10"');
    await expect(suite('{ path: pets, holdout: 2 }')).rejects.toThrow('data');
  });

  test('are added under a name that suites know, listed, and checked', async () => {
    const added = await run('add', 'pets', join(root, 'pets'), '--json');
    expect(added.code).toBe(exitCodes.fine);
    expect(JSON.parse(added.out)).toMatchObject({
      ...{ name: 'pets', classes: ['cat', 'dog'], trainImages: 2, testImages: 2, leaks: [] },
    });
    expect(await readFile(join(root, 'data', 'pets.yaml'), 'utf8')).toBe('path: ../pets\n');
    expect(await suite('pets')).toEqual({ name: 'pets', path: undefined });
    expect((await run('list')).out).toMatch(/pets .*pets.yaml/);
    const again = await run('add', 'pets', join(root, 'pets'));
    expect(again.code).toBe(exitCodes.usage);
    await writeFile(join(root, 'pets', 'test', 'dog', 'broken.jpg'), 'no picture');
    const checked = await run('check', 'pets');
    expect(checked.code).toBe(exitCodes.usage);
    expect(checked.err).toContain(join('test', 'dog', 'broken.jpg'));
  });

  test('are checked by the path of what declares them, in a suite as well', async () => {
    await run('add', 'pets', join(root, 'pets'));
    const checked = await run('check', join('data', 'pets.yaml'), '--json');
    expect(checked.code).toBe(exitCodes.fine);
    expect(JSON.parse(checked.out)).toMatchObject({ classes: ['cat', 'dog'], trainImages: 2, testImages: 2 });
    const { name, declared } = await suite('./data/pets.yaml');
    const { train } = await locateData(name, undefined, undefined, { declared });
    expect([name, train.count]).toEqual(['pets', 2]);
    await writeFile(join(root, 'data', 'pets.yaml'), 'paths: ../pets\n');
    expect((await run('check', join('data', 'pets.yaml'))).err).toContain('paths');
  });

  test('are declared in a file that replaces nothing unasked', async () => {
    const file = join(root, 'data', 'pets.yaml');
    expect((await run('add', 'pets', join(root, 'nowhere'))).code).toBe(exitCodes.usage);
    expect(existsSync(file)).toBe(false);
    await mkdir(join(root, 'data'));
    await writeFile(file, '# by hand\npath: ../nowhere\n');
    const refused = await run('add', 'pets', join(root, 'pets'));
    expect([refused.code, await readFile(file, 'utf8')]).toEqual([
      exitCodes.usage,
      '# by hand\npath: ../nowhere\n',
    ]);
    expect((await run('add', 'pets', join(root, 'pets'), '--force')).code).toBe(exitCodes.fine);
    expect(await readFile(file, 'utf8')).toBe('path: ../pets\n');
  });

  test('may be Parquet, arrays or a CIFAR, with a column or label that is named', async () => {
    const added = await run('add', 'hub', inSets('converted'), '--label', 'fine_label', '--json');
    expect(JSON.parse(added.out)).toMatchObject({ classes: ['a', 'b'], trainImages: 4, testImages: 4 });
    expect(await readFile(join(root, 'data', 'hub.yaml'), 'utf8')).toContain('label: fine_label');
    for (const [path, ...flags] of [
      [join('arrays', 'both.npz')],
      ['cifar-100-python', '--label', 'fine'],
    ] as const)
      expect((await run('check', inSets(path), ...flags)).code).toBe(exitCodes.fine);
    const named = ['--image', 'pictures', '--label', 'kind', '--holdout', '50%'];
    const misspelt = await run('check', inSets('arrays', 'other-names.npz'), ...named);
    expect([misspelt.code, misspelt.err]).toEqual([exitCodes.usage, expect.stringContaining('"kinds"')]);
    const bad = await run('check', inSets('bad', 'null-image.parquet'), '--holdout', '50%');
    expect(bad.code).toBe(exitCodes.usage);
    expect(bad.err).toContain('null-image.parquet: row 2, column image');
  });

  test('are shown beside the classes of a model', async () => {
    const model = join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10');
    const checked = await run('check', 'shapes10', '--model', model, '--json');
    const { classes, modelClasses } = JSON.parse(checked.out) as {
      classes: string[];
      modelClasses: { images: string; model: string; place: number }[];
    };
    expect(modelClasses).toEqual(classes.map((name, place) => ({ images: name, model: name, place })));
    const table = await run('check', 'shapes10', '--model', model);
    for (const name of classes) expect(table.out.split(name).length).toBeGreaterThan(3);
    // Of two classes that the model has not, a head would be fitted: none is theirs by its name.
    const others = await run('check', 'pets', '--model', model, '--json');
    expect(others.code).toBe(exitCodes.fine);
    expect(JSON.parse(others.out)).not.toHaveProperty('modelClasses');
    expect((await run('check', 'pets', '--model', model)).out).toContain('No class of the model');
  });
});
