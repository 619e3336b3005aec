import { chiSquareUpper } from './chi-square.js';

/**
 * What the expected sum of the weights of rare, independent events stays below with a given confidence, of what was seen of them once: a
 * gamma distribution with the mean and variance that one more event of weight 1 would make (Fay & Feuer, "Confidence
 * intervals for directly standardized rates: a method based on the gamma distribution", Statistics in Medicine 16, 1997). Where all
 * weights are 1 that is the exact limit of a Poisson count (Garwood, 1936); elsewhere it errs to the safe side.
 *
 * @param weights - of the events that were seen, each between 0 and 1; none are fine
 * @param confidence - 0.95 for a sum that is exceeded in one of twenty cases at most
 */
export function mostExpected(weights: readonly number[], confidence: number): number {
  let [mean, variance] = [1, 1];
  for (const weight of weights) {
    mean += weight;
    variance += weight ** 2;
  }
  return gammaAbove(1 - confidence, mean, variance);
}

/**
 * What the expected sum of the weights of rare, independent events stays above with a given confidence, of what was seen of them once: a
 * gamma distribution with the mean and variance of what was seen (Fay & Feuer, 1997). Where all weights are 1 that is the exact limit of a
 * Poisson count (Garwood, 1936).
 *
 * @param weights - of the events that were seen, each between 0 and 1; none are fine
 * @param confidence - 0.95 for a sum that lies below in one of twenty cases at most
 */
export function leastExpected(weights: readonly number[], confidence: number): number {
  let [mean, variance] = [0, 0];
  for (const weight of weights) {
    mean += weight;
    variance += weight ** 2;
  }
  return mean === 0 ? 0 : gammaAbove(confidence, mean, variance);
}

/** What a gamma variable is above with a given probability. */
function gammaAbove(upper: number, mean: number, variance: number): number {
  // A gamma variable of shape k is half a χ² variable of 2 k degrees.
  const scale = variance / mean;
  return (scale / 2) * chiSquareUpper(upper, (2 * mean) / scale);
}
