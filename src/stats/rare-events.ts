import { chiSquareUpper } from './chi-square.js';

/**
 * What the expected sum of the weights of rare, independent events stays below with a given confidence, of what was seen of them once: a
 * gamma distribution with the mean and variance that one more event of the largest weight would make (Fay & Feuer, "Confidence
 * intervals for directly standardized rates: a method based on the gamma distribution", Statistics in Medicine 16, 1997). Where all
 * weights are 1 that is the exact limit of a Poisson count (Garwood, 1936); elsewhere it errs to the safe side.
 *
 * @param weights - of the events that were seen, each between 0 and `largest`; none are fine
 * @param confidence - 0.95 for a sum that is exceeded in one of twenty cases at most
 * @param largest - the largest weight that an event may have, above 0
 */
export function mostExpected(weights: readonly number[], confidence: number, largest = 1): number {
  let [mean, variance] = [largest, largest ** 2];
  for (const weight of weights) {
    mean += weight;
    variance += weight ** 2;
  }
  // A gamma variable of shape k is half a χ² variable of 2 k degrees.
  const scale = variance / mean;
  return (scale / 2) * chiSquareUpper(1 - confidence, (2 * mean) / scale);
}
