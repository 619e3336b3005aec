import { permutation, seededRandom } from '../base/random.js';
import { hashJson } from '../base/hash.js';
import type { Dataset } from './dataset.js';
import { readImages } from './records.js';

/** Training images chosen for calibration, as raw pixels. */
export interface CalibrationImages {
  /** Indices into the training split. */
  readonly indices: readonly number[];
  /** `[count, 3, 32, 32]`, uint8. */
  readonly pixels: Uint8Array;
  /** Which images exactly. */
  readonly hash: string;
}

/**
 * Chooses training images by a seed. Successive draws with the same seed from different positions do not overlap, so
 * that images to calibrate on and images to check on are kept apart.
 *
 * @param train - the training split; the test split does not type-check
 * @param count - how many images
 * @param seed - determines which
 * @param skip - how many images of the same order to leave to an earlier draw
 * @throws RangeError when the split has too few images
 */
export async function drawCalibration(
  train: Dataset<'train'>,
  count: number,
  seed: number,
  skip = 0,
): Promise<CalibrationImages> {
  if (skip + count > train.count)
    throw new RangeError(
      `${skip + count} training images are wanted for calibration; ${train.name} has ${train.count} here`,
    );
  const indices = permutation(train.count, seededRandom(seed)).slice(skip, skip + count);
  return {
    indices,
    pixels: await readImages(train.files, indices),
    hash: hashJson({ data: train.hash, indices }),
  };
}
