import type { Blas } from '../linalg/blas.js';
import { cholesky, solveLower, solveLowerTransposed } from '../linalg/cholesky.js';
import { minimise, type Minimum, type Objective } from '../linalg/lbfgs.js';
import { centredFeatures, meanVariance, type Classifier, type Labelled } from './classifier.js';

/**
 * The largest component of a gradient at which the search ends, and at which what it found counts: features have a mean variance of one
 * there, and losses are means.
 */
const TOLERANCE = 1e-8;
const ACCEPTED = 1e-6;

/** Some dozens are usual, some hundreds where the penalty is weak. */
const MAX_ITERATIONS = 2000;

/** A classifier, and where the search for it ended. */
export interface LogisticFit extends Pick<Minimum, 'iterations' | 'gradient' | 'converged'> {
  readonly classifier: Classifier;
  /** What was minimised: the mean cross-entropy and the penalty. */
  readonly loss: number;
  /** Where the search for the next penalty may begin. */
  readonly at: Float64Array;
}

/**
 * Multinomial logistic regression: for n images with features x and classes y it minimises
 * `Σ −log softmax(W·x + b)_y / n + (λ·s / 2)·‖W‖²`, where s, the mean variance of a feature, makes λ a pure number and the intercepts are
 * free (Hastie, Tibshirani & Friedman, "The Elements of Statistical Learning", 2nd ed., section 4.4; as scikit-learn's
 * `LogisticRegression` with C = 1 / (n·λ·s)).
 *
 * The search begins with the bound of the Hessian by Böhning (Annals of the Institute of Statistical Mathematics 44, 1992), ½·XᵀX / n + λ·s·I
 * for each class: features that are far from independent take few steps more than others.
 *
 * @param labelled - what to fit
 * @param count - how many classes there are
 * @param blas - does the products
 * @returns a function that gives the classifier for a λ above zero, from where another search ended or from zero
 */
export async function logistic(
  labelled: Labelled,
  count: number,
  blas: Blas,
): Promise<(lambda: number, start?: Float64Array) => Promise<LogisticFit>> {
  const images = labelled.classes.length;
  const { width, mean, values } = centredFeatures(labelled.features, images);
  const covariance = (await blas.productTransposed(values, values, images)).map((sum) => sum / images);
  // Features that are all constant are zeros now, and stay so.
  const scale = Math.sqrt(meanVariance(covariance, width)) || 1;
  for (let i = 0; i < values.length; i++) values[i]! /= scale;
  for (let i = 0; i < covariance.length; i++) covariance[i]! /= scale ** 2;
  const { classes } = labelled;

  return async (lambda, start = new Float64Array((width + 1) * count)) => {
    const bound = covariance.map((value) => value / 2);
    for (let j = 0; j < width; j++) bound[j * width + j]! += lambda;
    // Whole, and not as its factor: one product a step is what the search has time for.
    const inverse = await inverseOf(bound, width, blas);
    const precondition = async (gradient: Float64Array): Promise<Float64Array> => {
      const out = new Float64Array(gradient.length);
      out.set(await blas.product(inverse, gradient.slice(0, width * count), width));
      for (let i = width * count; i < out.length; i++) out[i] = 2 * gradient[i]!;
      return out;
    };
    const objective = logisticLoss({ values, classes, width, count }, lambda, blas);
    const found = await minimise(objective, start, precondition, {
      tolerance: TOLERANCE,
      maxIterations: MAX_ITERATIONS,
    });
    const weight = new Float64Array(count * width);
    const bias = found.at.slice(width * count);
    for (let j = 0; j < width; j++)
      for (let c = 0; c < count; c++) {
        weight[c * width + j] = found.at[j * count + c]! / scale;
        bias[c]! -= mean[j]! * weight[c * width + j]!;
      }
    const { at, value: loss, gradient, iterations } = found;
    const converged = gradient <= ACCEPTED;
    return { classifier: { weight, bias }, loss, at, gradient, iterations, converged };
  };
}

/** The inverse of a symmetric, positive definite matrix `[n, n]`. */
async function inverseOf(matrix: Float64Array, n: number, blas: Blas): Promise<Float64Array> {
  const factor = await cholesky(matrix, n, blas);
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  return solveLowerTransposed(factor, n, await solveLower(factor, n, identity, n, blas), n, blas);
}

/** What a loss is of. */
export interface LogisticProblem {
  /** Features, `[width, images]`. */
  readonly values: Float64Array;
  readonly classes: Uint16Array;
  readonly width: number;
  readonly count: number;
}

/**
 * The mean cross-entropy of a softmax and λ/2 times the squares of its weights, as a function of the weights `[width, classes]` and behind
 * them the intercepts `[classes]`.
 *
 * @param problem - features and classes
 * @param lambda - of the penalty
 * @param blas - does the products
 */
export function logisticLoss(
  { values, classes, width, count }: LogisticProblem,
  lambda: number,
  blas: Blas,
): Objective {
  const images = classes.length;
  return async (at) => {
    const transposed = new Float64Array(width * count);
    let squares = 0;
    for (let j = 0; j < width; j++)
      for (let c = 0; c < count; c++) {
        const weight = at[j * count + c]!;
        transposed[c * width + j] = weight;
        squares += weight ** 2;
      }
    // [classes, images]: scores first, then how much too large the share of each class is.
    const scores = await blas.product(transposed, values, width);
    let value = (lambda / 2) * squares;
    for (let image = 0; image < images; image++) value += toExcess(scores, image) / images;
    const gradient = new Float64Array(at.length);
    gradient.set(await blas.productTransposed(values, scores, images));
    for (let i = 0; i < width * count; i++) gradient[i] = gradient[i]! / images + lambda * at[i]!;
    for (let c = 0; c < count; c++) {
      let sum = 0;
      for (let image = 0; image < images; image++) sum += scores[c * images + image]!;
      gradient[width * count + c] = sum / images;
    }
    return { value, gradient };

    /** Turns an image's scores into what softmax gives beyond its class, and gives its cross-entropy. */
    function toExcess(column: Float64Array, image: number): number {
      let most = -Infinity;
      for (let c = 0; c < count; c++) {
        const place = c * images + image;
        column[place]! += at[width * count + c]!;
        most = Math.max(most, column[place]!);
      }
      let sum = 0;
      for (let c = 0; c < count; c++) sum += Math.exp(column[c * images + image]! - most);
      const own = classes[image]! * images + image;
      const entropy = Math.log(sum) + most - column[own]!;
      for (let c = 0; c < count; c++) {
        const place = c * images + image;
        column[place] = Math.exp(column[place]! - most) / sum;
      }
      column[own]! -= 1;
      return entropy;
    }
  };
}
