import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { edgeflexProcess, edgeflex } from './support.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-suites-'));
});

afterAll(() => rm(folder, { recursive: true }));

describe('edgeflex suites and recipes', () => {
  test('list what comes with EdgeFlex, and describe each', async () => {
    for (const [command, name] of [
      ['suites', 'quickstart'],
      ['recipes', 'edgeflex'],
    ] as const) {
      const { code, out } = await edgeflex([command, 'list', '--json'], {});
      const listed = JSON.parse(out) as { name: string; description: string; builtIn: boolean }[];
      expect(code).toBe(0);
      expect(listed.map((each) => each.name)).toContain(name);
      expect(listed.filter(({ description }) => description === '' || description.startsWith('✗'))).toEqual(
        [],
      );
    }
  });

  test('list those of the working folder, and say what is wrong with one', async () => {
    await mkdir(join(folder, 'suites'));
    await writeFile(join(folder, 'suites', 'broken.yaml'), 'name: [');
    const { code, out } = await edgeflexProcess(['suites'], {}, folder);
    expect(code).toBe(0);
    expect(out).toMatch(/broken\s+suites|broken\s+\S*broken\.yaml/);
    expect(out).toContain('quickstart');
  });

  test('show one as it is written', async () => {
    const { out } = await edgeflex(['recipes', 'show', 'int8'], {});
    expect(out).toContain('quantize');
  });
});

test('a suite names recipes and devices of EdgeFlex', async () => {
  const suite = join(folder, 'mine.yaml');
  await writeFile(
    suite,
    `name: mine\ndata: { name: shapes10 }\nmodels: [{ path: vit-micro-shapes10 }]\nrecipes: [int8]\ndevices: [local-cpu]\n` +
      `accuracy: { images: 16, batch: 16 }\nperformance: { batches: [], rounds: 1 }\n`,
  );
  const { code, out, err } = await edgeflexProcess(['run', 'mine.yaml', '--json'], {}, folder);
  expect([code, err]).toEqual([0, expect.any(String)]);
  const { variants } = JSON.parse(out) as { variants: { recipe: string }[] };
  expect(variants.map(({ recipe }) => recipe)).toEqual(['fp32', 'int8']);
});
