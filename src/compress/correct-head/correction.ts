import { scoresOf, type Classifier } from '../head/classifier.js';
import { halfDecades } from '../head/penalty.js';
import { ridgeRegression } from '../head/ridge.js';
import type { Blas } from '../linalg/blas.js';
import { stacked } from '../linalg/stacked.js';

/** What a head reads of images, and what its logits lack. */
export interface Lacking {
  /** `[images, width]`. */
  readonly features: Float64Array;
  /** The original model's logits less those of the head as it is, `[images, classes]`. */
  readonly lack: Float64Array;
  readonly images: number;
}

/** A penalty that was tried. */
export interface TriedPenalty {
  /** In units of the features' mean variance. */
  readonly lambda: number;
  /** Mean over images of the squared difference of the logits to the original model's, summed over the classes; on images held out. */
  readonly squaredError: number;
}

/** A correction whose penalty was chosen on images held out. */
export interface ChosenCorrection {
  /** What is added to the head, fitted on all images; undefined where no penalty brings the logits closer. */
  readonly correction: Classifier | undefined;
  /** On images held out, of the head as it is. */
  readonly before: number;
  readonly best: TriedPenalty;
  readonly tried: readonly TriedPenalty[];
}

/** From a shift of the logits by hardly more than a constant to next to no penalty. */
const LAMBDAS = halfDecades(1, -3);

/**
 * Fits what is added to a head so that its logits are those of another model, by ridge regression on what they lack: a strong penalty leaves
 * the head as it was but for a constant. The penalty with the least squared error on images held out is taken.
 *
 * @param known - images to fit on
 * @param heldOut - images that choose the penalty
 * @param classes - how many there are
 * @param blas - does the products
 * @param onPenalty - told of each penalty before it is tried: which, of how many
 */
export async function chosenCorrection(
  known: Lacking,
  heldOut: Lacking,
  classes: number,
  blas: Blas,
  onPenalty: (index: number, of: number) => void,
): Promise<ChosenCorrection> {
  const fitted = await ridgeRegression(known.features, known.lack, known.images, classes, blas);
  const tried: TriedPenalty[] = [];
  for (const [index, lambda] of LAMBDAS.entries()) {
    onPenalty(index, LAMBDAS.length);
    tried.push({ lambda, squaredError: await leftOf(await fitted(lambda), heldOut, blas) });
  }
  const best = tried.reduce((least, each) => (each.squaredError < least.squaredError ? each : least));
  const before = heldOut.lack.reduce((sum, value) => sum + value ** 2, 0) / heldOut.images;
  if (best.squaredError >= before) return { correction: undefined, before, best, tried };
  const all = await ridgeRegression(
    stacked(known.features, heldOut.features),
    stacked(known.lack, heldOut.lack),
    known.images + heldOut.images,
    classes,
    blas,
  );
  return { correction: await all(best.lambda), before, best, tried };
}

/** Mean over images of the squares that a correction leaves of what is lacking, summed over the classes. */
async function leftOf(
  correction: Classifier,
  { features, lack, images }: Lacking,
  blas: Blas,
): Promise<number> {
  const added = await scoresOf(correction, features, blas);
  return lack.reduce((sum, value, i) => sum + (value - added[i]!) ** 2, 0) / images;
}
