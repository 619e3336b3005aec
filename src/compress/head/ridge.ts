import type { Blas } from '../linalg/blas.js';
import { cholesky, solveLower, solveLowerTransposed } from '../linalg/cholesky.js';

/** Features of labelled images. */
export interface Labelled {
  /** `[images, width]`. */
  readonly features: Float64Array;
  /** The class of each image. */
  readonly classes: Uint8Array;
}

/** A linear classifier. */
export interface Classifier {
  /** `[classes, width]`. */
  readonly weight: Float64Array;
  /** `[classes]`. */
  readonly bias: Float64Array;
}

/**
 * Ridge regression on one-hot classes in closed form, the intercept free: with centred features X and targets Y of n images,
 * `W = (XᵀX / n + λ·s·I)⁻¹ · XᵀY / n`, where s, the mean variance of a feature, makes λ a pure number (Hastie, Tibshirani &
 * Friedman, "The Elements of Statistical Learning", 2nd ed., sections 3.4.1 and 4.2).
 *
 * @param labelled - what to fit
 * @param count - how many classes there are
 * @param blas - does the products
 * @returns a function that gives the classifier for a λ above zero; the products with X are done once
 */
export async function ridge(
  { features, classes }: Labelled,
  count: number,
  blas: Blas,
): Promise<(lambda: number) => Promise<Classifier>> {
  const images = classes.length;
  const width = features.length / images;
  const mean = new Float64Array(width);
  for (let i = 0; i < features.length; i++) mean[i % width]! += features[i]! / images;
  const share = new Float64Array(count);
  for (const c of classes) share[c]! += 1 / images;
  const centred = new Float64Array(features.length);
  for (let image = 0; image < images; image++)
    for (let j = 0; j < width; j++) centred[j * images + image] = features[image * width + j]! - mean[j]!;
  const targets = new Float64Array(images * count);
  for (let image = 0; image < images; image++)
    for (let c = 0; c < count; c++) targets[image * count + c] = Number(classes[image] === c) - share[c]!;
  const covariance = (await blas.productTransposed(centred, centred, images)).map((sum) => sum / images);
  const cross = (await blas.product(centred, targets, images)).map((sum) => sum / images);
  let variance = 0;
  for (let j = 0; j < width; j++) variance += covariance[j * width + j]! / width;

  return async (lambda) => {
    const penalised = covariance.slice();
    for (let j = 0; j < width; j++) penalised[j * width + j]! += lambda * variance;
    const factor = await cholesky(penalised, width, blas);
    const half = await solveLower(factor, width, cross, count, blas);
    const solution = await solveLowerTransposed(factor, width, half, count, blas);
    const weight = new Float64Array(count * width);
    const bias = share.slice();
    for (let j = 0; j < width; j++) {
      for (let c = 0; c < count; c++) {
        weight[c * width + j] = solution[j * count + c]!;
        bias[c]! -= mean[j]! * solution[j * count + c]!;
      }
    }
    return { weight, bias };
  };
}

/** How well a classifier does on images. */
export interface Score {
  /** Mean over images of Σ (score − one-hot)² over the classes. */
  readonly squaredError: number;
  /** Share of images whose class has the largest score. */
  readonly accuracy: number;
}

/**
 * Scores a classifier.
 *
 * @param classifier - the classifier
 * @param labelled - images it was not fitted on
 */
export function scoreOf({ weight, bias }: Classifier, { features, classes }: Labelled): Score {
  const width = weight.length / bias.length;
  let [squared, right] = [0, 0];
  for (const [image, label] of classes.entries()) {
    let [best, chosen] = [-Infinity, 0];
    for (let c = 0; c < bias.length; c++) {
      let score = bias[c]!;
      for (let j = 0; j < width; j++) score += weight[c * width + j]! * features[image * width + j]!;
      squared += (score - Number(label === c)) ** 2;
      if (score > best) [best, chosen] = [score, c];
    }
    right += Number(chosen === label);
  }
  return { squaredError: squared / classes.length, accuracy: right / classes.length };
}
