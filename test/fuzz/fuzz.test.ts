import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { fuzz } from './fuzz.js';
import { parsers } from './parsers.js';
import { runBatch } from './supervise.js';

/** Inputs of each parser here; `npm run fuzz` takes as many as there is time for. */
const RUNS = 25;

describe('parsers of what comes from outside', () => {
  let folder = '';
  beforeAll(async () => {
    // Below the package, so that the packages are found that the bundle leaves out.
    folder = await mkdtemp(join(packageRoot(), 'dist', 'fuzz-'));
    await build({
      entryPoints: [join(packageRoot(), 'test', 'fuzz', 'child.ts')],
      ...{ bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'warning' },
      outfile: join(folder, 'child.js'),
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('give a value or the error that they document, in bounds of time and memory', async () => {
    const failures: unknown[] = [];
    const rows = await fuzz({
      child: join(folder, 'child.js'),
      names: parsers.map(({ name }) => name),
      ...{ seconds: 600, seed: 16, atOnce: 2, runs: RUNS },
      onFailure: (name, seed, failure) => failures.push({ name, seed, ...failure }),
    });
    expect(failures).toEqual([]);
    expect(rows.map(({ name, inputs }) => [name, inputs])).toEqual(parsers.map(({ name }) => [name, RUNS]));
  }, 600_000);

  test('a parser that is not there is no success', async () => {
    const batch = { child: join(folder, 'child.js'), parser: 'nothing', seed: 1, runs: 1, seconds: 9 };
    const { failure } = await runBatch(batch);
    expect(failure).toMatchObject({
      kind: 'killed',
      error: expect.stringContaining('no parser called nothing') as string,
    });
  });
});
