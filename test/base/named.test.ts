import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isName, listNamed, pathOf } from '../../src/base/named.js';
import { packageRoot } from '../../src/base/paths.js';

let folder: string;
const before = process.cwd();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-named-'));
  process.chdir(folder);
});

afterEach(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

describe('what goes by a name', () => {
  test('comes with EdgeFlex, wherever the command is called', () => {
    expect(pathOf('suite', 'quickstart')).toBe(join(packageRoot(), 'suites', 'quickstart.yaml'));
    expect(pathOf('recipe', 'edgeflex')).toBe(join(packageRoot(), 'suites', 'recipes', 'edgeflex.yaml'));
    expect(pathOf('device', 'local-cpu')).toBe(join(packageRoot(), 'devices', 'local-cpu.yaml'));
    expect(listNamed('model').map(({ name }) => name)).toContain('vit-micro-shapes10');
  });

  test('is the one of the working folder where both have it', async () => {
    await mkdir('suites');
    await writeFile(join('suites', 'quickstart.yaml'), '');
    await writeFile(join('suites', 'mine.yaml'), '');
    const suites = listNamed('suite');
    expect(pathOf('suite', 'quickstart')).toBe(join(process.cwd(), 'suites', 'quickstart.yaml'));
    expect(suites.filter(({ name }) => name === 'quickstart')).toHaveLength(1);
    expect(suites.filter(({ builtIn }) => !builtIn).map(({ name }) => name)).toEqual(['mine', 'quickstart']);
    expect(suites.map(({ name }) => name)).toContain('cifar10');
  });

  test('that nothing has is refused with the nearest, and all', () => {
    expect(() => pathOf('suite', 'quickstrat')).toThrow(/quickstrat.*"quickstart".*cifar10/);
  });
});

describe('a path', () => {
  test('leads from the working folder, or else from the package', async () => {
    const inPackage = join('suites', 'quickstart.yaml');
    expect(pathOf('suite', inPackage)).toBe(join(packageRoot(), inPackage));
    await mkdir('suites');
    await writeFile(inPackage, '');
    expect(pathOf('suite', inPackage)).toBe(inPackage);
  });

  test('that leads nowhere stays as it is, for its reader to refuse', () => {
    for (const path of ['none/quickstart.yaml', './suites/quickstart.yaml', '/suites/quickstart.yaml'])
      expect(pathOf('suite', path)).toBe(path);
  });

  test('is told from a name by its look', () => {
    expect(['edgeflex', 'vit-micro-shapes10', 'a.b'].every(isName)).toBe(true);
    expect(['', 'a/b', 'a\\b', 'edgeflex.yaml', 'edgeflex.yml'].some(isName)).toBe(false);
  });

  test('may have no ending: a file of the working folder comes before a name', async () => {
    await writeFile('quickstart', '');
    expect(pathOf('suite', 'quickstart')).toBe('quickstart');
  });
});
