import { referenceEffort } from '../reference.js';
import { tokensAt, type ViTConfig } from '../../vit/config.js';

/** How many times a model's multiplications a pass takes on which channels are observed. */
export const OBSERVED_PASS = 1.3;

/** Multiplications of a block in the time of one in float64. */
const FLOAT64 = 2;

/** Share of the images that judge on which the models that a budget of accuracy judges run, all together: most stop early. */
const JUDGED = 0.5;

/**
 * In how many images that pass through a whole model a budget of accuracy is spent.
 *
 * @param images - images that judge
 */
export function judgingEffort(images: number): number {
  return referenceEffort(images) + JUDGED * images;
}

/**
 * Multiplications that ranking the neurons of all MLPs takes beside the pass over the images: how they vary together, and what is solved
 * for.
 *
 * @param config - the architecture
 * @param images - that are observed
 * @param solved - factors and inverses of a matrix as wide as an MLP, n³ / 6 each
 */
export function rankingEffort(config: ViTConfig, images: number, solved: number): number {
  return config.mlpSizes.reduce(
    (sum, size, layer) =>
      sum + images * tokensAt(config, layer + 1) * size ** 2 * 0.6 + (FLOAT64 * solved * size ** 3) / 6,
    0,
  );
}
