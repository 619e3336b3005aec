import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { headOptionsSchema } from '../../src/compress/head/options.js';
import { scoreOf, type Labelled } from '../../src/compress/head/classifier.js';
import { ridge } from '../../src/compress/head/ridge.js';
import { head } from '../../src/compress/head/stage.js';
import { openBlas } from '../../src/compress/linalg/blas.js';
import type { ViT } from '../../src/vit/vit.js';
import { withWeights } from '../../src/vit/vit.js';
import { float32 } from '../../src/onnx/tensor.js';
import { preprocessingGraph, type Preprocessing } from '../../src/data/preprocess.js';
import { readPreprocessing } from '../../src/model/image-processor.js';
import { readImages } from '../../src/data/records.js';
import { serializeModel } from '../../src/onnx/file.js';
import { defaultSessionOptions } from '../../src/runtime/engine.js';
import { join } from 'node:path';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { multiply, solve, transpose } from './reference.js';
import { fingerprint, logitsOf, maxDifference, openBench, type Bench } from './support.js';
import { storedRecords } from '../data/support/cifar.js';

let bench: Bench;
let preprocessing: Preprocessing;
beforeAll(async () => {
  bench = await openBench();
  preprocessing = await readPreprocessing(join(microDirectory, 'preprocessor_config.json'));
});

/** Images of three classes around three centres, with a channel that says nothing. */
function blobs(images: number, width: number, seed: number): Labelled {
  const random = seededRandom(seed);
  const classes = Uint16Array.from({ length: images }, () => random.integer(3));
  const features = new Float64Array(images * width);
  for (const [image, label] of classes.entries())
    for (let j = 0; j < width; j++)
      features[image * width + j] = 5 * Number(j % 3 === label) + 2 * random.normal() + 100;
  return { features, classes };
}

describe('ridge regression', () => {
  it('solves the normal equations of centred features, and is what elimination finds', async () => {
    const [images, width, lambda] = [200, 150, 0.01];
    const { features, classes } = blobs(images, width, 1);
    const blas = await openBlas(bench.engine, 2);
    const { weight, bias } = await (await ridge({ features, classes }, 3, blas))(lambda);
    await blas.close();
    const mean = Array.from({ length: width }, (_, j) => {
      let sum = 0;
      for (let i = 0; i < images; i++) sum += features[i * width + j]!;
      return sum / images;
    });
    const x = features.map((value, index) => value - mean[index % width]!);
    const share = [0, 1, 2].map((c) => classes.filter((label) => label === c).length / images);
    const y = Float64Array.from(
      { length: images * 3 },
      (_, index) => Number(classes[Math.floor(index / 3)] === index % 3) - share[index % 3]!,
    );
    const left = multiply(transpose(x, images), x, images).map((value) => value / images);
    const variance =
      Array.from({ length: width }, (_, j) => left[j * width + j]!).reduce((a, b) => a + b) / width;
    for (let j = 0; j < width; j++) left[j * width + j]! += lambda * variance;
    const right = multiply(transpose(x, images), y, images).map((value) => value / images);
    const residual = multiply(left, transpose(weight, 3), width).map((value, i) => value - right[i]!);
    expect(Math.max(...residual.map(Math.abs))).toBeLessThan(1e-10);
    expect(maxDifference(transpose(weight, 3), solve(left, right, width))).toBeLessThan(1e-10);
    // The mean image gets the classes' shares.
    for (let c = 0; c < 3; c++) {
      const score = bias[c]! + mean.reduce((sum, value, j) => sum + value * weight[c * width + j]!, 0);
      expect(score).toBeCloseTo(share[c]!, 8);
    }
  });

  it('gives shares alone when the penalty is large', async () => {
    const labelled = blobs(90, 6, 2);
    const blas = await openBlas(bench.engine, 2);
    const { weight } = await (await ridge(labelled, 3, blas))(1e9);
    await blas.close();
    expect(Math.max(...weight.map(Math.abs))).toBeLessThan(1e-6);
  });
});

/** The model with a head of noise. */
function headless({ vit }: Bench): ViT {
  return withWeights(vit, [
    ['head.weight', float32([10, 128], new Float32Array(1280))],
    ['head.bias', float32([10], new Float32Array(10))],
  ]);
}

async function testAccuracy(vit: ViT): Promise<number> {
  const { test } = bench.data;
  const count = 1000;
  const pixels = await readImages(
    storedRecords(test),
    Array.from({ length: count }, (_, index) => index),
  );
  const session = await bench.engine.open(await serializeModel(preprocessingGraph(preprocessing)), {
    ...defaultSessionOptions,
    threads: 2,
  });
  const output = await session.run({ pixels: bench.engine.tensor('uint8', pixels, [count, 3, 32, 32]) });
  await session.close();
  const logits = await logitsOf(bench, vit, output['pixel_values']!.data as Float32Array);
  let right = 0;
  for (let image = 0; image < count; image++) {
    const row = logits.subarray(image * 10, image * 10 + 10);
    right += Number(row.indexOf(Math.max(...row)) === test.classes[image]);
  }
  return right / count;
}

describe('a fitted head', () => {
  it('is nearly as good on test images as the one that was trained', async () => {
    const { vit, report } = await head(headless(bench), bench.context, headOptionsSchema.parse({}));
    const [trained, fitted] = [await testAccuracy(bench.vit), await testAccuracy(vit)];
    expect(trained).toBeGreaterThan(0.8);
    expect(fitted).toBeGreaterThan(trained - 0.03);
    expect(report).toMatchObject({ images: 512, holdout: 128, classes: 10 });
    expect(report.holdoutAccuracy).toBeGreaterThan(0.8);
  });

  it('has the penalty that errs least on images held out of the fit', async () => {
    const { report } = await head(bench.vit, bench.context, headOptionsSchema.parse({ images: 192 }));
    const least = Math.min(...report.tried.map(({ squaredError }) => squaredError));
    expect(report.tried.find(({ lambda }) => lambda === report.lambda)!.squaredError).toBe(least);
    expect(report.tried[0]!.squaredError).toBeGreaterThan(least);
    expect(report.tried.at(-1)!.squaredError).toBeGreaterThan(least);
  });

  it('does not depend on the head that was there, and changes nothing else', async () => {
    const options = headOptionsSchema.parse({ images: 96 });
    const first = await head(bench.vit, bench.context, options);
    const second = await head(headless(bench), bench.context, options);
    expect(await fingerprint(second.vit)).toBe(await fingerprint(first.vit));
    for (const [name, tensor] of bench.vit.weights)
      if (!name.startsWith('head.')) expect(first.vit.weights.get(name)).toBe(tensor);
  });

  it('gives a model without labels those of the images', async () => {
    const backbone: ViT = withWeights({ ...bench.vit, config: { ...bench.vit.config, labels: [] } }, [
      ['head.weight', float32([0, 128], [])],
      ['head.bias', float32([0], [])],
    ]);
    const { vit } = await head(backbone, bench.context, headOptionsSchema.parse({ images: 96 }));
    expect(vit.config.labels).toEqual(bench.data.train.labels);
    expect((await logitsOf(bench, vit)).length).toBe(320);
  });

  it('is refused when not every class is seen', async () => {
    const fault = await refusalOf(() => head(bench.vit, bench.context, { kind: 'ridge', images: 4 }));
    expect(fault.place).toBe('head.images');
    expect(fault.expected).toBe('images of every class');
  });
});

describe('scores', () => {
  it('count what is right and how far the scores are off', () => {
    const classifier = { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(0, 0) };
    const labelled = { features: Float64Array.of(1, 0, 0.5, 2), classes: Uint16Array.of(0, 0) };
    expect(scoreOf(classifier, labelled)).toMatchObject({ squaredError: (0.25 + 4) / 2, accuracy: 0.5 });
  });
});
