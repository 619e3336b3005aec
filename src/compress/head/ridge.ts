import type { Blas } from '../linalg/blas.js';
import { cholesky, solveLower, solveLowerTransposed } from '../linalg/cholesky.js';
import { centredFeatures, meanVariance, type Classifier, type Labelled } from './classifier.js';

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
  labelled: Labelled,
  count: number,
  blas: Blas,
): Promise<(lambda: number) => Promise<Classifier>> {
  const { classes } = labelled;
  const { images, width, mean, values: centred } = centredFeatures(labelled);
  const share = new Float64Array(count);
  for (const c of classes) share[c]! += 1 / images;
  const targets = new Float64Array(images * count);
  for (let image = 0; image < images; image++)
    for (let c = 0; c < count; c++) targets[image * count + c] = Number(classes[image] === c) - share[c]!;
  const covariance = (await blas.productTransposed(centred, centred, images)).map((sum) => sum / images);
  const cross = (await blas.product(centred, targets, images)).map((sum) => sum / images);
  const variance = meanVariance(covariance, width);

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
