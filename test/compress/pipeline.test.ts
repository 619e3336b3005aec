import { beforeAll, describe, expect, it } from 'vitest';
import { readOnce } from '../../src/compress/read-once.js';
import { compress, type Compressed } from '../../src/compress/pipeline.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { stepOf, type Step } from '../../src/compress/stage.js';
import { correctHeadStage } from '../../src/compress/stages/correct-head.js';
import { headStage } from '../../src/compress/stages/head.js';
import { mergeTokensStage } from '../../src/compress/stages/merge-tokens.js';
import { precisionStage } from '../../src/compress/stages/precision.js';
import { profileStage } from '../../src/compress/stages/profile.js';
import { pruneAttentionStage } from '../../src/compress/stages/prune-attention.js';
import { pruneStage } from '../../src/compress/stages/prune.js';
import { quantizeStage } from '../../src/compress/stages/quantize.js';
import { resizePatchesStage } from '../../src/compress/stages/resize-patches.js';
import { shrinkStage } from '../../src/compress/stages/shrink.js';
import { constantBytes } from '../../src/onnx/liveness.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { formCounts, parameterCount } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { fingerprint, logitsOf, maxDifference, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

/** Every stage, so that it is over in a moment and costs little accuracy. */
const step = {
  profile: stepOf(profileStage, { images: 8 }),
  prune: stepOf(pruneStage, {
    ...{ ratio: 0.125, images: 32, importance: 'flap', compensation: 'mean', allocation: 'uniform' },
  }),
  'merge-tokens': stepOf(mergeTokensStage, { r: [1, 0, 0, 0], images: 8 }),
  precision: stepOf(precisionStage, { images: 8 }),
  quantize: stepOf(quantizeStage, {
    ...{ images: 8, rows: 16, format: 'w8', alpha: 'off', clipWeights: false },
  }),
  'correct-head': stepOf(correctHeadStage, { images: 192 }),
  head: stepOf(headStage, { images: 128 }),
};
type StageName = keyof typeof step;

const recipe = (...stages: readonly StageName[]): Recipe => ({
  ...fp32,
  name: 'test',
  steps: stages.map((stage) => step[stage]),
});

const made = (...stages: readonly StageName[]): Promise<Compressed> =>
  compress(bench.vit, recipe(...stages), bench.context);

/** All orders of some things. */
function orders<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]];
  return things.flatMap((first) =>
    orders(things.filter((each) => each !== first)).map((rest) => [first, ...rest]),
  );
}

/** Every subset of the stages in the order of the paper, and every order of two and of three. */
const stageNames = ['profile', 'prune', 'precision', 'quantize'] as const;
const subsets: StageName[][] = Array.from({ length: 16 }, (_, bits) =>
  stageNames.filter((_stage, i) => bits & (1 << i)),
);
const all: StageName[][] = [
  ...subsets,
  ...subsets.filter(({ length }) => length === 2).map((pair) => pair.toReversed()),
  ...orders(['prune', 'precision', 'quantize'] as const),
  ...orders(['prune', 'merge-tokens', 'quantize'] as const),
].filter((stages, index, every) => every.findIndex((each) => each.join() === stages.join()) === index);

const refused = (stages: readonly StageName[]): boolean =>
  stages.includes('prune') &&
  stages.lastIndexOf('quantize') > -1 &&
  stages.indexOf('quantize') < stages.indexOf('prune');

describe('the pipeline', () => {
  it.each(
    all.filter((stages) => !refused(stages)).map((stages) => [stages.join(' → ') || 'nothing', stages]),
  )('does %s', async (_, stages) => {
    const { vit, stages: reports } = await made(...stages);
    expect(reports.map(({ stage }) => stage)).toEqual(stages);
    const neurons = vit.config.mlpSizes.reduce((sum, size) => sum + size, 0);
    expect(neurons).toBe(stages.includes('prune') ? 1792 : 2048);
    expect(formCounts(vit).blockwise).toBe(stages.includes('quantize') ? 24 : 0);
    const patch = vit.weights.get('patch.weight')!.dtype;
    expect(patch).toBe(stages.includes('precision') ? 'float16' : 'float32');
    const spread = Math.max(...bench.reference) - Math.min(...bench.reference);
    const difference = maxDifference(await logitsOf(bench, vit), bench.reference);
    // One token of sixteen is much to lose; that merging is right is held against a reference of its own.
    expect(difference).toBeLessThan((stages.includes('merge-tokens') ? 0.5 : 0.15) * spread);
    const changes = stages.some((stage) => stage !== 'profile');
    if (changes) expect(difference).toBeGreaterThan(1e-5);
    else expect(vit).toBe(bench.vit);
  });

  it.each(all.filter(refused).map((stages) => [stages.join(' → '), stages]))(
    'refuses %s: what is quantised is not pruned',
    async (_, stages) => {
      const fault = await refusalOf(() => made(...stages));
      expect(fault).toEqual({
        source: 'recipe',
        place: 'layers.0.fc1.weight',
        found: 'uint8 weights',
        expected: 'float weights: stages that change weights come before the one that quantises them',
      });
    },
  );

  it('leaves the model it is given as it was, also where its weights are read once', async () => {
    const before = await fingerprint(bench.vit);
    const held = readOnce(bench.vit);
    const steps = [
      ...[stepOf(resizePatchesStage, { keep: 0.2, images: 8 }), step.profile, step.prune],
      ...[stepOf(pruneAttentionStage, { ratio: 0.5, images: 8 }), step['merge-tokens'], step.precision],
      ...[stepOf(quantizeStage, { images: 8, rows: 16, rounding: 'feedback' }), step['correct-head']],
    ];
    const { vit } = await compress(held, { ...fp32, steps }, bench.context);
    expect(await fingerprint(vit)).not.toBe(before);
    expect(await fingerprint(held)).toBe(before);
  });

  it('corrects the classifier towards the model that it is given', async () => {
    const apart = async (...stages: readonly StageName[]): Promise<number> => {
      const logits = await logitsOf(bench, (await made(...stages)).vit);
      return logits.reduce((sum, value, i) => sum + (value - bench.reference[i]!) ** 2, 0);
    };
    expect(await apart('prune', 'correct-head')).toBeLessThan(await apart('prune'));
  });

  it('gives the same model, bit for bit, for the same seed, and another for another', async () => {
    const steps: Step[] = [
      stepOf(pruneStage, { images: 8, ratio: 0.3 }),
      step.precision,
      stepOf(quantizeStage, { images: 8, rows: 16 }),
    ];
    const withSeed = async (seed: number): Promise<string> => {
      const { vit } = await compress(bench.vit, { ...fp32, steps }, { ...bench.context, seed });
      return fingerprint(vit);
    };
    const first = await withSeed(1);
    expect(await withSeed(1)).toBe(first);
    expect(await withSeed(2)).not.toBe(first);
  });

  it('profiles without changing what comes out', async () => {
    const without = await fingerprint((await made('prune', 'quantize')).vit);
    expect(await fingerprint((await made('profile', 'prune', 'profile', 'quantize', 'profile')).vit)).toBe(
      without,
    );
  });

  it('reports of each stage the model that it left', async () => {
    const { vit, stages } = await made('profile', 'prune', 'quantize');
    const bytes = stages.map((stage) => stage.constantBytes);
    expect(bytes[0]).toBe(constantBytes(buildGraph(bench.vit)));
    expect(bytes[1]).toBeLessThan(bytes[0]!);
    expect(bytes[2]).toBeLessThan(bytes[1]! / 3);
    expect(bytes[2]).toBe(constantBytes(buildGraph(vit)));
    expect(stages.map(({ parameters }) => parameters)).toEqual([
      parameterCount(bench.vit.config),
      parameterCount(vit.config),
      parameterCount(vit.config),
    ]);
    for (const [index, stage] of (['profile', 'prune', 'quantize'] as const).entries())
      expect(stages[index]!.options).toBe(step[stage].options);
  });

  it('tells how far it is, from nothing towards everything and never back', async () => {
    const told: number[] = [];
    const onProgress = (done: number): void => void told.push(done);
    await compress(bench.vit, recipe('profile', 'prune', 'quantize'), { ...bench.context, onProgress });
    expect(told[0]).toBe(0);
    expect(told.at(-1)).toBeGreaterThan(0.7);
    expect(Math.max(...told)).toBeLessThanOrEqual(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  it('stops where it is told to', async () => {
    const reason = new Error('enough');
    let calls = 0;
    const throwIfStopped = (): void => {
      if (++calls === 5) throw reason;
    };
    const stopped = compress(bench.vit, recipe('prune'), { ...bench.context, throwIfStopped });
    await expect(stopped).rejects.toBe(reason);
    expect(calls).toBe(5);
  });
});

describe('a stage that asks for more training images than there are', () => {
  it('gets what there is, and its figures say so', async () => {
    const asking = (images: number): Recipe => ({
      ...fp32,
      name: 'asking',
      steps: [stepOf(profileStage, { images })],
    });
    const enough = await compress(bench.vit, asking(8), bench.context);
    expect(
      enough.stages[0]?.facts.headline.filter(({ label }) => label.startsWith('training images to')),
    ).toEqual([]);
    const { stages } = await compress(bench.vit, asking(1000), bench.context);
    // Three quarters of the 512 of shapes10.
    expect(stages[0]?.facts.headline.at(-1)).toEqual({
      ...{ label: 'training images to calibrate on', value: 384, unit: 'count', of: 1000 },
    });
  });

  it('more than once is told of the most that it asked for', async () => {
    const budget = { accuracy: 0.5, confidence: 0.75, images: 900 };
    const steps = [stepOf(shrinkStage, { budget, images: 16, compared: 200 })];
    const { stages } = await compress(bench.vit, { ...fp32, name: 'twice', steps }, bench.context);
    expect(stages[0]?.facts.headline.at(-1)).toEqual({
      ...{ label: 'training images to check on', value: 128, unit: 'count', of: 900 },
    });
  });
});
