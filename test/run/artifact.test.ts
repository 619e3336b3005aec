import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { hashFile } from '../../src/base/hash.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { artifactOf, type Artifact } from '../../src/run/artifacts/artifact.js';
import type { BuildContext } from '../../src/run/artifacts/build-context.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { entryFolders } from '../support/cache.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, openShapes } from '../support/micro.js';
import { openTestDevice } from '../support/tasks.js';

const folder = useFolder();
const data = await openShapes();
const context: BuildContext = {
  ...{ engine: await nodeEngine(), threads: 2, train: data.train, seed: 1, device: undefined },
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
const micro = await loadModel(
  await modelHere({ kind: 'path', name: 'micro', path: microDirectory }),
  data.test.labels,
);

/** A recipe that is applied in a moment. */
function quick(options: object = {}): Recipe {
  const parsed = quantizeOptionsSchema.parse({ alpha: 'off', images: 8, rows: 16, ...options });
  return { ...fp32, name: 'quick', steps: [{ stage: 'quantize', options: parsed }] };
}

function artifact(recipe: Recipe, changes: Partial<BuildContext> = {}): Promise<Artifact> {
  return artifactOf(micro, recipe, { ...context, ...changes });
}

/** Every file of an artifact with the digest of its bytes. */
async function contents({ directory }: Artifact): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of (await readdir(directory)).sort())
    files.set(name, await hashFile(join(directory, name)));
  return files;
}

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder());
  onTestFinished(() => void vi.unstubAllEnvs());
});

describe('an artifact', () => {
  it('is made once, and found afterwards', async () => {
    const made = await artifact(quick());
    expect(made.cached).toBe(false);
    expect(await artifact(quick())).toEqual({ ...made, cached: true });
    expect(await entryFolders(folder(), 'artifact')).toHaveLength(1);
    expect(made.kernels['MatMulIntegerToFloat']).toBeGreaterThan(0);
    expect(made.stages.map(({ stage }) => stage)).toEqual(['quantize']);
  });

  it('is another one for another recipe, seed, model, set of images or number of threads', async () => {
    const keys = [
      await artifact(quick()),
      await artifact(fp32),
      await artifact(quick({ keep: ['layers.0.*'] })),
      await artifact(quick(), { seed: 2 }),
      await artifact(quick(), { threads: 1 }),
      await artifact(quick(), { train: { ...data.train, hash: 'other images' } }),
      await artifactOf({ ...micro, identity: 'other weights' }, quick(), context),
    ].map(({ key, cached }) => `${key} ${cached}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => key.endsWith(' false'))).toBe(true);
  });

  it('is the same for another seed and other images when nothing is calibrated', async () => {
    const { key } = await artifact(fp32);
    const other = await artifact(fp32, { seed: 2, train: { ...data.train, hash: 'other images' } });
    expect(other).toMatchObject({ key, cached: true });
  });

  it('is the same for another name, description or micro-batch', async () => {
    const { key } = await artifact(quick());
    const other = await artifact({ ...quick(), name: 'n', description: 'd', microBatch: 4 });
    expect(other).toMatchObject({ key, cached: true });
  });

  it('has bytes that depend on its key alone', async () => {
    const first = await artifact(quick());
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    const [{ stage, options } = { stage: '', options: {} }] = quick().steps;
    const reordered = Object.fromEntries(Object.entries(options).reverse());
    const renamed: Recipe = {
      ...quick(),
      name: 'other',
      description: 'd',
      steps: [{ options: reordered, stage }],
    };
    const second = await artifactOf({ ...micro, name: 'another name' }, renamed, context);
    expect([second.cached, second.key]).toEqual([false, first.key]);
    expect(await contents(second)).toEqual(await contents(first));
  });

  it('is another one for another micro-batch and device when a memory budget is held against its peak', async () => {
    const options = pruneOptionsSchema.parse({
      ...{ budget: { memory: 4000, batch: 2 }, images: 16, compensation: 'none', importance: 'magnitude' },
    });
    const budgeted: Recipe = { ...fp32, steps: [{ stage: 'prune', options }] };
    const here = await openTestDevice();
    const keys = [
      await artifact(budgeted, { device: here }),
      await artifact({ ...budgeted, microBatch: 1 }, { device: here }),
      await artifact(budgeted, { device: { ...here, session: { threads: 1, arena: false } } }),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(3);
  });

  it('leaves nothing behind when making it is stopped', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (): void => {
      controller.abort(reason);
    };
    const stopped = artifact(quick({ images: 64 }), { signal: controller.signal, onProgress });
    await expect(stopped).rejects.toBe(reason);
    expect(await entryFolders(folder(), 'artifact')).toEqual([]);
  });
});

/** The manifest beside an artifact's files. */
const manifestOf = (directory: string): string => join(directory, '..', 'manifest.json');

/** Changes a figure in a manifest, which stays JSON. */
async function tamper(path: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace('"parameters": ', '"parameters": 1'));
}

/** Zeroes the second half of a file, whose size stays. */
async function zeroHalf(path: string): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0, bytes.length / 2));
}

describe('a damaged artifact', () => {
  it.each<[string, (made: Artifact) => Promise<void>]>([
    ['whose manifest was cut', ({ directory }) => truncate(manifestOf(directory), 40)],
    ['whose manifest is empty', ({ directory }) => writeFile(manifestOf(directory), '')],
    ['whose manifest is another', ({ directory }) => writeFile(manifestOf(directory), '{}')],
    ['without a manifest', ({ directory }) => rm(manifestOf(directory))],
    ['without its model', ({ model }) => rm(model)],
    ['whose weights were cut', ({ model }) => truncate(`${model}.data`, 100)],
    ['whose weights were zeroed', ({ model }) => zeroHalf(`${model}.data`)],
    ['whose manifest says another number', ({ directory }) => tamper(manifestOf(directory))],
    ['without its preprocessing', ({ preprocess }) => rm(preprocess)],
  ])('%s is made anew', async (_, damage) => {
    const made = await artifact(fp32);
    const before = await contents(made);
    await damage(made);
    expect(await artifact(fp32)).toEqual(made);
    expect(await contents(made)).toEqual(before);
    expect((await artifact(fp32)).cached).toBe(true);
  });
});
