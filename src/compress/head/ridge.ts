import type { Blas } from '../linalg/blas.js';
import { cholesky, solveLower, solveLowerTransposed } from '../linalg/cholesky.js';
import { centredFeatures, meanVariance, type Classifier, type Labelled } from './classifier.js';

/**
 * Ridge regression on one-hot classes in closed form, the intercept free (Hastie, Tibshirani & Friedman, "The Elements of Statistical
 * Learning", 2nd ed., section 4.2).
 *
 * @param labelled - what to fit
 * @param count - how many classes there are
 * @param blas - does the products
 * @returns a function that gives the classifier for a λ above zero; the products with the features are done once
 */
export async function ridge(
  { features, classes }: Labelled,
  count: number,
  blas: Blas,
): Promise<(lambda: number) => Promise<Classifier>> {
  const oneHot = new Float64Array(classes.length * count);
  for (const [image, label] of classes.entries()) oneHot[image * count + label] = 1;
  return ridgeRegression(features, oneHot, classes.length, count, blas);
}

/**
 * Ridge regression in closed form, the intercept free: with centred features X and targets Y of n images,
 * `W = (XᵀX / n + λ·s·I)⁻¹ · XᵀY / n`, where s, the mean variance of a feature, makes λ a pure number (Hastie, Tibshirani &
 * Friedman, "The Elements of Statistical Learning", 2nd ed., section 3.4.1).
 *
 * @param features - `[images, width]`
 * @param targets - `[images, count]`
 * @param images - how many
 * @param count - targets of an image
 * @param blas - does the products
 * @returns a function that gives weights and intercepts for a λ above zero; the products with X are done once
 */
export async function ridgeRegression(
  features: Float64Array,
  targets: Float64Array,
  images: number,
  count: number,
  blas: Blas,
): Promise<(lambda: number) => Promise<Classifier>> {
  const { width, mean, values: centred } = centredFeatures(features, images);
  const centre = new Float64Array(count);
  for (let i = 0; i < targets.length; i++) centre[i % count]! += targets[i]! / images;
  const apart = targets.map((value, i) => value - centre[i % count]!);
  const covariance = (await blas.productTransposed(centred, centred, images)).map((sum) => sum / images);
  const cross = (await blas.product(centred, apart, images)).map((sum) => sum / images);
  // Features that are all constant, as those of a single image, get no weight.
  const variance = meanVariance(covariance, width) || 1;

  return async (lambda) => {
    const penalised = covariance.slice();
    for (let j = 0; j < width; j++) penalised[j * width + j]! += lambda * variance;
    const factor = await cholesky(penalised, width, blas);
    const half = await solveLower(factor, width, cross, count, blas);
    const solution = await solveLowerTransposed(factor, width, half, count, blas);
    const weight = new Float64Array(count * width);
    const bias = centre.slice();
    for (let j = 0; j < width; j++) {
      for (let c = 0; c < count; c++) {
        weight[c * width + j] = solution[j * count + c]!;
        bias[c]! -= mean[j]! * solution[j * count + c]!;
      }
    }
    return { weight, bias };
  };
}
