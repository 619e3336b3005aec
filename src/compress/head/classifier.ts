import type { Blas } from '../linalg/blas.js';

/** Features of labelled images. */
export interface Labelled {
  /** `[images, width]`. */
  readonly features: Float64Array;
  /** The class of each image. */
  readonly classes: Uint16Array;
}

/** A linear classifier. */
export interface Classifier {
  /** `[classes, width]`. */
  readonly weight: Float64Array;
  /** `[classes]`. */
  readonly bias: Float64Array;
}

/** Features as a fit wants them: without their means, image by image in columns. */
export interface Centred {
  readonly width: number;
  /** Of each feature. */
  readonly mean: Float64Array;
  /** `[width, images]`. */
  readonly values: Float64Array;
}

/**
 * Takes the mean of each feature away.
 *
 * @param features - `[images, width]`
 * @param images - how many
 */
export function centredFeatures(features: Float64Array, images: number): Centred {
  const width = features.length / images;
  const mean = new Float64Array(width);
  for (let i = 0; i < features.length; i++) mean[i % width]! += features[i]! / images;
  const values = new Float64Array(features.length);
  for (let image = 0; image < images; image++)
    for (let j = 0; j < width; j++) values[j * images + image] = features[image * width + j]! - mean[j]!;
  return { width, mean, values };
}

/**
 * The mean variance of a feature: what makes penalties pure numbers.
 *
 * @param covariance - of the features, `[width, width]`
 * @param width - how many there are
 */
export function meanVariance(covariance: Float64Array, width: number): number {
  let variance = 0;
  for (let j = 0; j < width; j++) variance += covariance[j * width + j]! / width;
  return variance;
}

/**
 * What a classifier gives for features.
 *
 * @param classifier - the classifier
 * @param features - `[images, width]`
 * @param blas - does the product
 * @returns `[images, classes]`
 */
export async function scoresOf(
  { weight, bias }: Classifier,
  features: Float64Array,
  blas: Blas,
): Promise<Float64Array> {
  const scores = await blas.productTransposed(features, weight, weight.length / bias.length);
  for (let i = 0; i < scores.length; i++) scores[i]! += bias[i % bias.length]!;
  return scores;
}

/** How well a classifier does on images. */
export interface Score {
  /** Mean over images of Σ (score − one-hot)² over the classes. */
  readonly squaredError: number;
  /** Mean over images of −log of the share that softmax gives to the right class. */
  readonly crossEntropy: number;
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
  let [squared, entropy, right] = [0, 0, 0];
  const scores = new Float64Array(bias.length);
  for (const [image, label] of classes.entries()) {
    let [best, chosen] = [-Infinity, 0];
    for (let c = 0; c < bias.length; c++) {
      let score = bias[c]!;
      for (let j = 0; j < width; j++) score += weight[c * width + j]! * features[image * width + j]!;
      scores[c] = score;
      squared += (score - Number(label === c)) ** 2;
      if (score > best) [best, chosen] = [score, c];
    }
    let sum = 0;
    for (const score of scores) sum += Math.exp(score - best);
    entropy += Math.log(sum) + best - scores[label]!;
    right += Number(chosen === label);
  }
  const images = classes.length;
  return { squaredError: squared / images, crossEntropy: entropy / images, accuracy: right / images };
}
