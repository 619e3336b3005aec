import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { edgeflex } from './support.js';

const MODEL = 'suites/models/vit-micro-shapes10';

describe('edgeflex compress refuses', () => {
  test.each<[string, string[], string]>([
    ['nothing to do', [], 'neither a recipe, nor a target, nor a budget of time'],
    [
      'a recipe and a budget of time',
      ['--recipe', 'suites/recipes/int8.yaml', '--budget', '30min'],
      'both a recipe and a budget of time',
    ],
    ['a budget of no time', ['--budget', '30'], 'such as 30min'],
    [
      'both of them',
      ['--recipe', 'suites/recipes/int8.yaml', '--target', 'latency=2x'],
      'both a recipe and a target',
    ],
    ['a target that says nothing', ['--target', 'latency=fast'], '--target: latency: found fast'],
    ['a single round', ['--target', 'latency=2x', '--rounds', '1'], 'from 2 to 1000'],
    [
      'a browser to search for',
      ['--target', 'latency=2x', '--device', 'devices/browser-wasm.yaml'],
      'browser-wasm: found a device of the kind "browser"',
    ],
  ])('%s', async (_, flags, found) => {
    const { code, err } = await edgeflex(['compress', MODEL, ...flags, '-o', join(tmpdir(), 'never')], {});
    expect(err).toContain(found);
    expect(code).toBe(exitCodes.usage);
  });

  test.each(['recipe.yaml', 'search.json', 'front/1.yaml'])(
    'to replace a %s of somebody else',
    async (name) => {
      const folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      await mkdir(join(folder, 'front'));
      await writeFile(join(folder, name), 'mine');
      const { code, err } = await edgeflex(['compress', MODEL, '--budget', '5min', '-o', folder], {});
      expect(err).toContain(name);
      expect(code).toBe(exitCodes.usage);
      expect(await readFile(join(folder, name), 'utf8')).toBe('mine');
    },
  );
});

describe('edgeflex compress --budget', () => {
  test('writes recipes of the front, which are no place for what is made of them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const out = join(folder, 'out');
    const env = { EDGEFLEX_CACHE: join(folder, 'cache') };
    const flags = ['--budget', '1s', '--rounds', '2', '-o', out, '--json'];
    const { code, out: printed, err } = await edgeflex(['compress', MODEL, ...flags], env);
    expect(code, err).toBe(0);
    const { search } = JSON.parse(printed) as { search: { measured: { onFront: boolean }[] } };
    const names = (await readdir(out, { recursive: true })).filter((name) => dirname(name) === 'front');
    const members = search.measured.filter(({ onFront }) => onFront).length;
    expect(names).toHaveLength(members);
    const recipe = join(out, members > 0 ? 'front/1.yaml' : 'recipe.yaml');
    const second = await edgeflex(['compress', MODEL, '--recipe', recipe, '-o', out], env);
    expect(second).toMatchObject({ code: exitCodes.usage });
    expect(second.err).toContain(recipe);
    const elsewhere = await edgeflex(['compress', MODEL, '--recipe', recipe, '-o', join(folder, 'b')], env);
    expect(elsewhere.code, elsewhere.err).toBe(0);
  }, 240_000);
});
