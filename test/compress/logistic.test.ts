import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { seededRandom } from '../../src/base/random.js';
import { scoreOf, type Classifier, type Labelled } from '../../src/compress/head/classifier.js';
import { logistic, logisticLoss } from '../../src/compress/head/logistic.js';
import { chosenHead } from '../../src/compress/head/penalty.js';
import { openBlas, type Blas } from '../../src/compress/linalg/blas.js';
import { nodeEngine } from '../../src/runtime/node.js';

let blas: Blas;
beforeAll(async () => {
  blas = await openBlas(await nodeEngine(), 1);
});
afterAll(() => blas.close());

const problemSchema = z.object({
  width: z.number(),
  classes: z.array(z.number()),
  features: z.array(z.number()),
  fits: z.array(
    z.object({
      lambda: z.number(),
      weight: z.array(z.number()),
      bias: z.array(z.number()),
      loss: z.number(),
    }),
  ),
});

/** Images of some classes around centres of their own, the features mixed. */
function blobs(images: number, width: number, count: number, seed: number, noise = 1): Labelled {
  const random = seededRandom(seed);
  const centres = Array.from({ length: count * width }, () => random.normal());
  const mixing = Array.from(
    { length: width * width },
    (_, i) => random.normal() * 10 ** (-(i % width) / width),
  );
  const classes = Uint16Array.from({ length: images }, (_, image) => image % count);
  const features = new Float64Array(images * width);
  for (const [image, label] of classes.entries()) {
    const own = Array.from(
      { length: width },
      (_, j) => centres[label * width + j]! + noise * random.normal(),
    );
    for (let j = 0; j < width; j++)
      features[image * width + j] =
        3 + own.reduce((sum, value, k) => sum + value * mixing[k * width + j]!, 0);
  }
  return { features, classes };
}

/** The mean variance of a feature, as the textbook has it. */
function varianceOf({ features, classes }: Labelled): number {
  const width = features.length / classes.length;
  let total = 0;
  for (let j = 0; j < width; j++) {
    const column = Array.from(classes, (_, image) => features[image * width + j]!);
    const mean = column.reduce((a, b) => a + b) / column.length;
    total += column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length / width;
  }
  return total;
}

/** The gradient of the penalised loss by loops, from the features as they were given. */
function gradientAt(labelled: Labelled, { weight, bias }: Classifier, lambda: number): number[] {
  const { features, classes } = labelled;
  const [images, count] = [classes.length, bias.length];
  const width = features.length / images;
  const penalty = lambda * varianceOf(labelled);
  const gradient = [...weight.map((value) => penalty * value), ...new Float64Array(count)];
  for (const [image, label] of classes.entries()) {
    const x = features.subarray(image * width, (image + 1) * width);
    const scores = Array.from(bias, (value, c) =>
      x.reduce((sum, feature, j) => sum + feature * weight[c * width + j]!, value),
    );
    const most = Math.max(...scores);
    const sum = scores.reduce((all, score) => all + Math.exp(score - most), 0);
    for (const [c, score] of scores.entries()) {
      const excess = (Math.exp(score - most) / sum - Number(c === label)) / images;
      for (let j = 0; j < width; j++) gradient[c * width + j]! += excess * x[j]!;
      gradient[count * width + c]! += excess;
    }
  }
  return gradient;
}

describe('logistic regression', () => {
  it('finds what scikit-learn finds', async () => {
    const text = await readFile(
      join(packageRoot(), 'test', 'compress', 'fixtures', 'logistic', 'problem.json'),
      'utf8',
    );
    const { width, classes, features, fits } = problemSchema.parse(JSON.parse(text));
    const labelled = { features: Float64Array.from(features), classes: Uint16Array.from(classes) };
    expect(features).toHaveLength(width * classes.length);
    const fitted = await logistic(labelled, 3, blas);
    expect(fits).toHaveLength(3);
    for (const { lambda, weight, bias, loss } of fits) {
      const fit = await fitted(lambda);
      expect(fit.converged).toBe(true);
      expect(Math.abs(fit.loss / loss - 1)).toBeLessThan(1e-9);
      // The same number added to all intercepts changes nothing.
      const mean = fit.classifier.bias.reduce((a, b) => a + b) / 3;
      const scale = Math.max(...weight.map(Math.abs), ...bias.map(Math.abs));
      const apart = [
        ...fit.classifier.weight.map((value, i) => value - weight[i]!),
        ...fit.classifier.bias.map((value, c) => value - mean - bias[c]!),
      ];
      expect(Math.max(...apart.map(Math.abs)) / scale).toBeLessThan(1e-4);
    }
  });

  it('ends where the gradient of the features as they were is nothing, from wherever it begins', async () => {
    for (const [seed, [images, width, count]] of [
      [40, 5, 2],
      [90, 12, 4],
      [30, 50, 3],
    ].entries()) {
      const labelled = blobs(images!, width!, count!, seed);
      const fitted = await logistic(labelled, count!, blas);
      for (const lambda of [3, 0.1, 1e-3]) {
        const { classifier, converged, loss } = await fitted(lambda);
        expect(converged).toBe(true);
        const gradient = gradientAt(labelled, classifier, lambda);
        expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6);
        const random = seededRandom(seed);
        const elsewhere = Float64Array.from({ length: (width! + 1) * count! }, () => random.normal());
        expect((await fitted(lambda, elsewhere)).loss).toBeCloseTo(loss, 10);
      }
    }
  });

  it('has the gradient that finite differences find', async () => {
    const [images, width, count] = [20, 4, 3];
    const { features, classes } = blobs(images, width, count, 5);
    const values = Float64Array.from(
      features,
      (_, i) => features[(i % images) * width + Math.floor(i / images)]!,
    );
    const loss = logisticLoss({ values, classes, width, count }, 0.3, blas);
    const random = seededRandom(6);
    const at = Float64Array.from({ length: (width + 1) * count }, () => random.normal());
    const { gradient } = await loss(at);
    for (const [i, slope] of gradient.entries()) {
      const valueAt = async (offset: number): Promise<number> =>
        (await loss(at.map((value, j) => value + (i === j ? offset : 0)))).value;
      const difference = ((await valueAt(1e-5)) - (await valueAt(-1e-5))) / 2e-5;
      expect(Math.abs(difference - slope)).toBeLessThan(1e-7 * (1 + Math.abs(slope)));
    }
  });

  it('gives the shares of the classes alone when the penalty is large, whatever lies in the features', async () => {
    const { features, classes } = blobs(60, 6, 3, 8);
    const uneven = classes.map((label, image) => (image % 4 === 0 ? 0 : label));
    const fitted = await logistic({ features, classes: uneven }, 3, blas);
    const { classifier } = await fitted(1e9);
    const shares = [0, 1, 2].map((c) => uneven.filter((label) => label === c).length / 60);
    const odds = Array.from(classifier.bias, (value) => Math.exp(value - classifier.bias[0]!));
    for (const [c, share] of shares.entries()) expect(odds[c]).toBeCloseTo(share / shares[0]!, 5);
  });

  it('gives the same bits again', async () => {
    const labelled = blobs(50, 10, 3, 9);
    const once = await (await logistic(labelled, 3, blas))(0.01);
    const again = await (await logistic(labelled, 3, blas))(0.01);
    expect(again.classifier).toEqual(once.classifier);
  });

  it('bears features that are all the same', async () => {
    const classes = Uint16Array.of(0, 1, 1, 1);
    const fit = await (await logistic({ features: new Float64Array(8).fill(2), classes }, 2, blas))(0.1);
    expect(fit.converged).toBe(true);
    expect(
      scoreOf(fit.classifier, { features: Float64Array.of(2, 2), classes: Uint16Array.of(1) }).accuracy,
    ).toBe(1);
  });
});

describe('the penalty of a logistic head', () => {
  it('is the one with the least cross-entropy on images held out, and its head was fitted on all', async () => {
    const all = blobs(160, 12, 4, 3, 1.5);
    const part = (from: number, to: number): Labelled => ({
      features: all.features.slice(from * 12, to * 12),
      classes: all.classes.slice(from, to),
    });
    const chosen = (await chosenHead('logistic', part(0, 120), part(120, 160), 4, blas, () => undefined))!;
    const { best, tried, classifier } = chosen;
    const least = Math.min(...tried.map(({ crossEntropy }) => crossEntropy));
    expect(best.crossEntropy).toBe(least);
    expect(tried[0]!.crossEntropy).toBeGreaterThan(least);
    expect(tried.at(-1)!.crossEntropy).toBeGreaterThan(least);
    expect(tried.every(({ search }) => search?.converged)).toBe(true);
    expect(Math.max(...gradientAt(all, classifier, best.lambda).map(Math.abs))).toBeLessThan(1e-6);
  });
});

describe('the cross-entropy of a score', () => {
  it('is minus the logarithm of the share of the right class', () => {
    const classifier = { weight: Float64Array.of(1, 0, 0, 1), bias: Float64Array.of(0, 0) };
    const labelled = { features: Float64Array.of(Math.log(3), 0, 0, 0), classes: Uint16Array.of(0, 1) };
    expect(scoreOf(classifier, labelled).crossEntropy).toBeCloseTo(-(Math.log(0.75) + Math.log(0.5)) / 2, 12);
  });
});
