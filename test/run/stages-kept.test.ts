import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { defined } from '../../src/base/defined.js';
import { correctHeadOptionsSchema } from '../../src/compress/correct-head/options.js';
import { headOptionsSchema } from '../../src/compress/head/options.js';
import { mergeTokensOptionsSchema } from '../../src/compress/merge-tokens/options.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { profileOptionsSchema } from '../../src/compress/profile/options.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import type { Step } from '../../src/compress/stage.js';
import { floatsOf } from '../../src/compress/weights.js';
import { float32 } from '../../src/onnx/tensor.js';
import { weightOf, withWeights } from '../../src/vit/vit.js';
import { artifactOf, type Artifact } from '../../src/run/artifacts/artifact.js';
import type { BuildContext } from '../../src/run/artifacts/build-context.js';
import { cacheKey, type EntryKind } from '../../src/cache/key.js';
import { cache } from '../../src/cache/store.js';
import { artifactKey, stageKeys } from '../../src/run/artifacts/keys.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { entryFolders } from '../support/cache.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, openShapes } from '../support/micro.js';

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

const prune: Step = { stage: 'prune', options: pruneOptionsSchema.parse({ ratio: 0.5, images: 32 }) };
const merge: Step = {
  stage: 'merge-tokens',
  options: mergeTokensOptionsSchema.parse({ r: 2, images: 8 }),
};
const quantize: Step = {
  stage: 'quantize',
  options: quantizeOptionsSchema.parse({
    ...{ alpha: 'off', images: 8, rows: 16, budget: { agreement: 1, images: 16 } },
  }),
};
const steps: Step[] = [
  { stage: 'profile', options: profileOptionsSchema.parse({ images: 8 }) },
  prune,
  merge,
  { stage: 'precision', options: precisionOptionsSchema.parse({ images: 8, float16: ['patch', '*.fc1'] }) },
  quantize,
  { stage: 'head', options: headOptionsSchema.parse({ images: 64 }) },
];
const recipe = (...of: Step[]): Recipe => ({ ...fp32, name: 'kept', steps: of });

/** What is worked on, in order; one call for each block of each stage. */
function watched(): { told: string[]; onProgress: BuildContext['onProgress'] } {
  const told: string[] = [];
  return { told, onProgress: (_, what) => void told.push(what) };
}

/** Works until the next block would begin, and is stopped there; undefined when the artifact is done before that. */
async function stoppedAfterBlock(made: Recipe): Promise<string[]> {
  const controller = new AbortController();
  const { told, onProgress } = watched();
  const blocks = (): number => told.filter((what) => what.includes('block')).length;
  const work = artifactOf(micro, made, {
    ...context,
    signal: controller.signal,
    onProgress: (done, what) => {
      onProgress(done, what);
      if (blocks() === 2) controller.abort(new Error('enough'));
    },
  });
  await work.catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return told;
}

async function modelOf({ model }: Artifact): Promise<string[]> {
  const read = async (file: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  return [await read(model), await read(`${model}.data`)];
}

const inCache = (kind: EntryKind): Promise<string[]> => entryFolders(folder(), kind);

/** Every file that stages have kept. */
async function keptFiles(): Promise<string[]> {
  const files: string[] = [];
  for (const stage of [...(await inCache('checkpoint')), ...(await inCache('observation'))])
    for (const file of await readdir(join(stage, 'files')))
      if (file.endsWith('.kept')) files.push(join(stage, 'files', file));
  return files;
}

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder());
  onTestFinished(() => void vi.unstubAllEnvs());
});

describe('compression that is stopped at every block', () => {
  it('does each block once more at most, gives the same bytes, and leaves nothing behind', async () => {
    const made = recipe(...steps);
    const times = new Map<string, number>();
    for (let attempt = 0; ; attempt++) {
      expect(attempt).toBeLessThan(100);
      for (const what of await stoppedAfterBlock(made)) times.set(what, (times.get(what) ?? 0) + 1);
      if ((await inCache('artifact')).length > 0) break;
    }
    const blocks = [...times].filter(([what]) => what.includes('block'));
    // profile 4, prune 4, merge-tokens 8, precision 4, quantize 4 and its checks; head tells of images.
    expect(blocks.length).toBeGreaterThan(28);
    for (const [what, count] of blocks) expect([what, count <= 2]).toEqual([what, true]);
    const resumed = await artifactOf(micro, made, context);
    expect(resumed.cached).toBe(true);
    expect(await inCache('checkpoint')).toEqual([]);

    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    const whole = await artifactOf(micro, made, context);
    expect(whole.cached).toBe(false);
    expect(await modelOf(resumed)).toEqual(await modelOf(whole));
    const reports = ({ stages }: Artifact): unknown =>
      stages.map((stage) => ({ ...stage, seconds: undefined }));
    expect(reports(resumed)).toEqual(reports(whole));
  });

  it('gives the same bytes when what was kept is damaged', async () => {
    const made = recipe(prune, quantize);
    for (const damage of [
      (file: string): Promise<void> => truncate(file, 100),
      (file: string): Promise<void> => writeFile(file, 'nothing'),
      async (file: string): Promise<void> => truncate(file, (await stat(file)).size - 1),
    ]) {
      for (let block = 0; block < 5; block++) await stoppedAfterBlock(made);
      const files = await keptFiles();
      expect(files.length).toBeGreaterThan(4);
      for (const [index, file] of files.entries()) if (index % 2 === 0) await damage(file);
    }
    const resumed = await modelOf(await artifactOf(micro, made, context));
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    expect(resumed).toEqual(await modelOf(await artifactOf(micro, made, context)));
  });
});

describe('a classifier that is corrected', () => {
  const correct: Step = { stage: 'correct-head', options: correctHeadOptionsSchema.parse({ images: 300 }) };
  const made = recipe(prune, correct);

  it('is the same when it was stopped before, whose parts are kept', async () => {
    const controller = new AbortController();
    const stopped = artifactOf(micro, made, {
      ...context,
      signal: controller.signal,
      onProgress: (_, what) => {
        if (what.includes('features, 256')) controller.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    const kept = (await keptFiles()).map((file) => basename(file));
    for (const part of ['logits.0', 'logits.256', 'features.fit.0'])
      expect(kept.filter((file) => file === `${part}.kept`)).toHaveLength(1);
    expect(kept).not.toContain('features.fit.256.kept');
    const resumed = await modelOf(await artifactOf(micro, made, context));
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    expect(resumed).toEqual(await modelOf(await artifactOf(micro, made, context)));
  });

  it('is that of the model that the recipe began with, whatever was kept of others', async () => {
    const weight = (await floatsOf(micro.vit, 'head.weight')).map((value) => 2 * value);
    const doubled: typeof micro = {
      ...micro,
      identity: 'doubled',
      vit: withWeights(micro.vit, [
        ['head.weight', float32(weightOf(micro.vit, 'head.weight').dims, weight)],
      ]),
    };
    const first = await modelOf(await artifactOf(micro, made, context));
    const second = await modelOf(await artifactOf(doubled, made, context));
    expect(second).not.toEqual(first);
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    expect(second).toEqual(await modelOf(await artifactOf(doubled, made, context)));
  });
});

describe('recipes that begin alike', () => {
  it('share what the stages that are alike have made, until the last of them is done', async () => {
    const [first, second] = [recipe(prune), recipe(prune, merge)];
    await artifactOf(micro, first, { ...context, next: [second] });
    expect(await inCache('checkpoint')).toHaveLength(1);
    const { told, onProgress } = watched();
    const shared = await artifactOf(micro, second, { ...context, onProgress });
    expect(told.filter((what) => what.startsWith('prune'))).toEqual([]);
    expect(told.filter((what) => what.startsWith('merge-tokens'))).not.toEqual([]);
    expect(await inCache('checkpoint')).toEqual([]);
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    expect(await modelOf(shared)).toEqual(await modelOf(await artifactOf(micro, second, context)));
  });

  it('share pruning by a budget of accuracy, which looks at none of the steps behind it', async () => {
    const options = pruneOptionsSchema.parse({ budget: { accuracy: 5, images: 96 }, images: 16 });
    const budgeted: Step = { stage: 'prune', options };
    await stoppedAfterBlock(recipe(budgeted));
    await artifactOf(micro, recipe(budgeted), { ...context, next: [recipe(budgeted, merge)] });
    expect(await inCache('checkpoint')).toHaveLength(1);
    const { told, onProgress } = watched();
    const shared = await artifactOf(micro, recipe(budgeted, merge), { ...context, onProgress });
    expect(told.filter((what) => what.startsWith('prune'))).toEqual([]);
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    expect(await modelOf(shared)).toEqual(
      await modelOf(await artifactOf(micro, recipe(budgeted, merge), context)),
    );
  });

  it('have different keys for all that a budget of accuracy says, and for another model, seed and images', () => {
    const keyed = (budget: object, more: Partial<BuildContext> = {}, model = micro): string => {
      const step: Step = { stage: 'prune', options: pruneOptionsSchema.parse({ budget }) };
      const here = { ...context, ...more };
      return [artifactKey(model, recipe(step), 'cpu', here), ...stageKeys(model, recipe(step), here)]
        .map(({ digest }) => digest)
        .join();
    };
    const keys = [
      keyed({ accuracy: 1 }),
      keyed({ accuracy: 1.1 }),
      keyed({ accuracy: 1, confidence: 0.9 }),
      keyed({ accuracy: 1, images: 100 }),
      keyed({ accuracy: 1 }, { seed: 2 }),
      keyed({ accuracy: 1 }, { train: { ...data.train, hash: 'other images' } }),
      keyed({ accuracy: 1 }, {}, { ...micro, identity: 'weights from a seed' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyed({ accuracy: 1 })).toBe(keys[0]);
  });

  it('share nothing where a budget looks at the steps behind it', async () => {
    const options = pruneOptionsSchema.parse({ budget: { parameters: 2.5 }, images: 16 });
    const budgeted: Step = { stage: 'prune', options };
    await artifactOf(micro, recipe(budgeted), { ...context, next: [recipe(budgeted, merge)] });
    expect(await inCache('checkpoint')).toEqual([]);
  });
});

describe('what a stage observed of a model', () => {
  const other: Step = { stage: 'prune', options: pruneOptionsSchema.parse({ ratio: 0.25, images: 32 }) };
  const looked = (told: readonly string[]): string[] => told.filter((what) => what.includes('loss of block'));

  it('is shared with later recipes that come to the same model, whatever else they ask for', async () => {
    await artifactOf(micro, recipe(prune), context);
    const { told, onProgress } = watched();
    const profile = defined(steps[0], 'the profile');
    const later = recipe(profile, other);
    const shared = await artifactOf(micro, later, { ...context, onProgress });
    expect(shared.cached).toBe(false);
    expect(looked(told)).toEqual([]);
    vi.stubEnv('EDGEFLEX_CACHE', folder('other'));
    expect(await modelOf(shared)).toEqual(await modelOf(await artifactOf(micro, later, context)));
  });

  it('is not shared where the model is another, or other images or criteria were asked for', async () => {
    await artifactOf(micro, recipe(prune), context);
    const fewer: Step = { stage: 'prune', options: pruneOptionsSchema.parse({ ratio: 0.25, images: 16 }) };
    const variance: Step = {
      stage: 'prune',
      options: pruneOptionsSchema.parse({ ratio: 0.25, images: 32, importance: 'variance' }),
    };
    for (const made of [recipe(fewer), recipe(variance), recipe(merge, other)]) {
      const { told, onProgress } = watched();
      await artifactOf(micro, made, { ...context, onProgress });
      expect(looked(told)).toHaveLength(4);
    }
    const { told, onProgress } = watched();
    await artifactOf(micro, recipe(other), { ...context, seed: 2, onProgress });
    expect(looked(told)).toHaveLength(4);
  });
});

describe('the cache', () => {
  it('keeps nothing of a stage that another works on, and leaves it alone', async () => {
    await stoppedAfterBlock(recipe(quantize));
    const [key] = stageKeys(micro, recipe(quantize), context);
    const entry = await cache().claim(key!, 'worked on');
    const before = await keptFiles();
    expect(before).not.toEqual([]);
    expect((await artifactOf(micro, recipe(quantize), context)).cached).toBe(false);
    expect(await keptFiles()).toEqual(before);
    entry.release();
  });

  it('goes on with what a process left that was killed', async () => {
    await stoppedAfterBlock(recipe(prune));
    const { told, onProgress } = watched();
    await artifactOf(micro, recipe(prune), { ...context, onProgress });
    expect(told.find((what) => what.includes('block'))).toBe('prune: loss of block 2 of 4');
  });

  it('lets go of what was used longest ago when it takes too much', async () => {
    const { directory } = await artifactOf(micro, fp32, context);
    const old = await cache().make(cacheKey('head', { of: 'old' }), { title: 'old' }, (files) =>
      writeFile(join(files, 'head.json'), Buffer.alloc(100_000)),
    );
    await cache().remove(old.key);
    const made = await cache().open(old.key, 'old');
    await made!.add('head.json', (path) => writeFile(path, Buffer.alloc(100_000)));
    made!.release();
    vi.stubEnv('EDGEFLEX_CACHE_LIMIT', '50kB');
    await stoppedAfterBlock(recipe(prune));
    expect(await inCache('head')).toEqual([]);
    expect(existsSync(directory)).toBe(true);
    expect(await keptFiles()).not.toEqual([]);
  });
});
