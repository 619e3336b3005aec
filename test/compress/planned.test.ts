import { beforeAll, describe, expect, it } from 'vitest';
import { compress } from '../../src/compress/pipeline.js';
import { plannedModel } from '../../src/compress/planned.js';
import { predictedMemory, withWidths } from '../../src/compress/stand-ins.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { profileOptionsSchema } from '../../src/compress/profile/options.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { fp32 } from '../../src/compress/recipe.js';
import type { Step } from '../../src/compress/stage.js';
import { serializeModel } from '../../src/onnx/file.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { linearNames } from '../../src/vit/linears.js';
import { formOf, type ViT } from '../../src/vit/vit.js';
import { logitsOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const quantize = (options: object): Step => ({
  stage: 'quantize',
  options: quantizeOptionsSchema.parse({ alpha: 'off', images: 8, rows: 16, ...options }),
});
const precision = (options: object): Step => ({
  stage: 'precision',
  options: precisionOptionsSchema.parse({ images: 8, ...options }),
});
const profile: Step = { stage: 'profile', options: profileOptionsSchema.parse({ images: 8 }) };

const recipes: readonly (readonly [string, readonly Step[]])[] = [
  ['nothing', []],
  ['INT8', [quantize({})]],
  ['INT8 but for some', [quantize({ keep: ['layers.*.fc2', 'layers.0.*'] })]],
  ['8 bit', [quantize({ format: 'w8', blockSize: 64 })]],
  ['4 bit in blocks wider than some inputs', [quantize({ format: 'w4', blockSize: 256 })]],
  ['float16', [precision({})]],
  ['float16 and INT8', [profile, precision({ float16: ['patch', 'head', 'layers.3.*'] }), quantize({})]],
];

/** Names, types and shapes of everything in a model. */
function shapeOf(vit: ViT): unknown {
  const tensors = [...vit.weights].map(([name, { dtype, dims }]) => `${name} ${dtype} ${dims.join('×')}`);
  return [vit.config, tensors.sort(), linearNames(vit.config).map((name) => formOf(vit, name).kind)];
}

describe.each(recipes)('the plan of a recipe with %s', (_, steps) => {
  it('has the shape and takes the memory of the model that the recipe then makes', async () => {
    const { vit } = await compress(bench.vit, { ...fp32, steps }, bench.context);
    const plan = plannedModel(bench.vit, steps);
    expect(shapeOf(plan)).toEqual(shapeOf(vit));
    for (const images of [1, 8, 64])
      expect(predictedMemory(plan, images)).toEqual(predictedMemory(vit, images));
    expect((await serializeModel(buildGraph(plan))).length).toBe(
      (await serializeModel(buildGraph(vit))).length,
    );
  });

  it('holds after pruning, too', async () => {
    const prune: Step = {
      stage: 'prune',
      options: pruneOptionsSchema.parse({ images: 8, ratio: 0.4, importance: 'flap', compensation: 'mean' }),
    };
    const { vit } = await compress(bench.vit, { ...fp32, steps: [prune, ...steps] }, bench.context);
    const plan = plannedModel(withWidths(bench.vit, vit.config.mlpSizes), steps);
    expect(shapeOf(plan)).toEqual(shapeOf(vit));
    expect(predictedMemory(plan, 8)).toEqual(predictedMemory(vit, 8));
  });

  it('runs, on numbers that stand in for weights', async () => {
    const logits = await logitsOf(bench, plannedModel(withWidths(bench.vit, [32, 64, 100, 512]), steps));
    expect(logits).toHaveLength(320);
    expect(logits.every(Number.isFinite)).toBe(true);
  });
});
