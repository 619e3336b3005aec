import { defined } from '../base/defined.js';
import { permutation, seededRandom } from '../base/random.js';
import { hashJson } from '../base/hash.js';
import type { Dataset, Work } from './dataset.js';
import type { Preprocessing } from './preprocess.js';
import { recordsOf, type ChosenRecords } from './records.js';

/** Training images that were drawn. */
export interface TrainingImages {
  /** Indices into the training split. */
  readonly indices: readonly number[];
  /** The class of each. */
  readonly classes: Uint16Array;
  /** Where their pixels lie. */
  readonly chosen: ChosenRecords;
  /** Which images exactly. */
  readonly hash: string;
}

/**
 * Draws training images by a seed. Successive draws with the same seed from different positions do not overlap, so
 * that images to calibrate on and images to check on are kept apart.
 *
 * @param train - the training split; the test split does not type-check
 * @param preprocessing - what the images will go through
 * @param count - how many images
 * @param seed - determines which
 * @param skip - how many images of the same order to leave to an earlier draw
 * @param work - progress and signal, where images must be decoded
 * @throws RangeError when the split has too few images; InputError when an image cannot be read; the signal's reason when it fires
 */
export async function drawTrainingImages(
  train: Dataset<'train'>,
  preprocessing: Preprocessing,
  count: number,
  seed: number,
  skip = 0,
  work: Work = {},
): Promise<TrainingImages> {
  if (skip + count > train.count)
    throw new RangeError(`${skip + count} training images are wanted; ${train.name} has ${train.count} here`);
  const indices = permutation(train.count, seededRandom(seed)).slice(skip, skip + count);
  return {
    indices,
    classes: Uint16Array.from(indices, (index) => defined(train.classes[index], 'the class of an image')),
    chosen: await recordsOf(train, preprocessing, indices, work),
    hash: hashJson({ data: train.hash, indices }),
  };
}
