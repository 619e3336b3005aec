import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { chosenCorrection, type Lacking } from '../../src/compress/correct-head/correction.js';
import { correctHeadOptionsSchema } from '../../src/compress/correct-head/options.js';
import { correctHead } from '../../src/compress/correct-head/stage.js';
import { openBlas } from '../../src/compress/linalg/blas.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { precision } from '../../src/compress/precision/stage.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { float32 } from '../../src/onnx/tensor.js';
import { withoutHead, withWeights, weightOf, type ViT } from '../../src/vit/vit.js';
import { correctHeadStage } from '../../src/compress/stages/correct-head.js';
import { refusalOf } from '../support/refusal.js';
import { copyOf, logitsOf, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const options = correctHeadOptionsSchema.parse({ images: 192 });

/** Squared difference of a model's logits to PyTorch's of the model as it was, on images that no stage saw. */
async function apart(vit: ViT): Promise<number> {
  const logits = await logitsOf(bench, vit);
  return logits.reduce((sum, value, i) => sum + (value - bench.reference[i]!) ** 2, 0);
}

describe('a corrected head', () => {
  it('gives back the logits of one that was damaged', async () => {
    const random = seededRandom(3);
    const weight = (await copyOf(bench.vit, 'head.weight')).map((value) => value + 0.05 * random.normal());
    const bias = (await copyOf(bench.vit, 'head.bias')).map((value) => value + random.normal());
    const damaged = withWeights(bench.vit, [
      ['head.weight', float32([10, 128], weight)],
      ['head.bias', float32([10], bias)],
    ]);
    const { vit, report } = await correctHead(damaged, bench.context, options);
    expect(report.error?.after).toBeLessThan(0.01 * (report.error?.before ?? NaN));
    expect(await apart(vit)).toBeLessThan(0.01 * (await apart(damaged)));
  });

  it('brings the logits of a pruned model in INT8 nearer, also those of other images, and stays as it was stored', async () => {
    const half = pruneOptionsSchema.parse({ ratio: 0.6, images: 64 });
    const { vit: pruned } = await prune(bench.vit, bench.context, half);
    const stored = precisionOptionsSchema.parse({ float16: ['head'], images: 16 });
    const { vit: mixed } = await precision(pruned, bench.context, stored);
    const bytes = quantizeOptionsSchema.parse({ format: 'w8a8', images: 32 });
    const { vit: compressed } = await quantize(mixed, bench.context, bytes);
    const { vit, report } = await correctHead(compressed, bench.context, options);
    expect(report.lambda).toBeGreaterThan(0);
    expect(report.error?.after).toBeLessThan(report.error?.before ?? NaN);
    expect(await apart(vit)).toBeLessThan(await apart(compressed));
    expect(weightOf(vit, 'head.weight').dtype).toBe('float16');
    for (const name of vit.weights.keys())
      if (!name.startsWith('head.')) expect(weightOf(vit, name)).toBe(weightOf(compressed, name));
  });

  it('looks at no labels', async () => {
    const { vit: pruned } = await prune(
      bench.vit,
      bench.context,
      pruneOptionsSchema.parse({ ratio: 0.6, images: 64 }),
    );
    const { calibration } = bench.context;
    const unlabelled = {
      ...calibration,
      images: async (count: number) => {
        const images = await calibration.images(count);
        return { ...images, classes: new Uint16Array(images.count) };
      },
      holdout: async (count: number) => {
        const images = await calibration.holdout(count);
        return { ...images, classes: new Uint16Array(images.count) };
      },
    };
    const { vit } = await correctHead(pruned, bench.context, options);
    const { vit: blind } = await correctHead(pruned, { ...bench.context, calibration: unlabelled }, options);
    expect(await copyOf(blind, 'head.weight')).toEqual(await copyOf(vit, 'head.weight'));
  });

  it('is left alone where no variant has it in the end', async () => {
    const original = { ...bench.context.original, probed: true };
    const { vit, report } = await correctHead(bench.vit, { ...bench.context, original }, options);
    expect(vit).toBe(bench.vit);
    expect(report.images).toBe(0);
    const { headline, tables } = correctHeadStage.summarise(
      correctHeadStage.report.parse(JSON.parse(JSON.stringify(report))),
      options,
    );
    expect(headline.map(({ label }) => label)).toEqual(['corrected']);
    expect(tables).toEqual([]);
  });

  it('is refused where there is no classifier', async () => {
    const features = withoutHead(bench.vit);
    const original = { ...bench.context.original, vit: features };
    const { place } = await refusalOf(() => correctHead(features, { ...bench.context, original }, options));
    expect(place).toBe('correct-head');
  });
});

describe('the penalty of a correction', () => {
  it('shifts the logits by a constant where all features are the same', async () => {
    const same = (images: number): Lacking => ({
      images,
      features: new Float64Array(images * 4).fill(0.5),
      lack: Float64Array.from({ length: images * 2 }, (_, i) => (i % 2 === 0 ? 3 : -1)),
    });
    const blas = await openBlas(bench.engine, 1);
    const { correction, best } = await chosenCorrection(same(1), same(1), 2, blas, () => undefined);
    await blas.close();
    expect(best.squaredError).toBeCloseTo(0);
    expect(correction!.weight.every((value) => value === 0)).toBe(true);
    expect([...correction!.bias]).toEqual([3, -1]);
  });

  it('leaves the head alone where what is lacking has nothing to do with the features', async () => {
    const random = seededRandom(5);
    const noise = (images: number): Lacking => ({
      images,
      features: Float64Array.from({ length: images * 30 }, () => random.normal()),
      lack: Float64Array.from({ length: images * 3 }, () => random.normal()),
    });
    const blas = await openBlas(bench.engine, 1);
    const { correction, before, tried } = await chosenCorrection(
      noise(40),
      noise(1000),
      3,
      blas,
      () => undefined,
    );
    await blas.close();
    expect(correction).toBeUndefined();
    for (const { squaredError } of tried) expect(squaredError).toBeGreaterThan(before);
  });
});
