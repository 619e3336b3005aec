import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';

const call = promisify(execFile);
const examples = join(packageRoot(), 'examples');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-examples-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What an example prints, run in a folder of its own by the package as it was built. */
async function outputOf(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await call(process.execPath, [join(examples, name, 'main.mjs'), ...args], {
    cwd: folder,
    env: { ...process.env, EDGEFLEX_CACHE: join(folder, 'cache') },
  });
  return stdout;
}

describe('the examples', () => {
  it('are all run here', () => {
    const programs = readdirSync(examples).filter((name) => existsSync(join(examples, name, 'main.mjs')));
    expect(programs.sort()).toEqual(['custom-device', 'custom-stage', 'several-models']);
  });

  it('compress with a stage of their own', async () => {
    const output = await outputOf('custom-stage', 'bfloat16');
    // bfloat16 has 8 bits of precision: half a unit in the last place is 2^-8 of a value at most.
    const error = Number(/largestError: ([\d.e-]+)/.exec(output)?.[1]);
    expect(error).toBeGreaterThan(2 ** -10);
    expect(error).toBeLessThanOrEqual(2 ** -8);
    expect(existsSync(join(folder, 'bfloat16', 'model.onnx'))).toBe(true);
  }, 300_000);

  it('measure on a device of their own', async () => {
    const output = await outputOf('custom-device');
    expect(output).toContain('is complete');
    expect(output).toMatch(/edgeflex on rested, batch 1: [\d.]+ ms/);
  }, 300_000);

  it('run a suite for several models', async () => {
    const models = ['vit-micro-shapes10', join(folder, 'bfloat16', 'model.onnx')];
    const output = await outputOf('several-models', 'results', ...models);
    for (const fact of [...models, 'int8', '100.0 %']) expect(output).toContain(fact);
  }, 300_000);
});
