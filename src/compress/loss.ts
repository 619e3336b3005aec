import type { Estimate } from '../stats/interval.js';
import { pairedDifference, pairedOutcomes, type PairedOutcomes } from '../stats/mcnemar.js';
import { wilson } from '../stats/wilson.js';

/** What a variant loses against the model as it was trained, on the same images. */
export interface Loss {
  readonly images: number;
  /** Percentage points of accuracy; of agreement where accuracy means nothing. */
  readonly points: Estimate;
  /** Share of images that get another class. */
  readonly changed: number;
}

/** What is lost where weights were not trained: agreement. */
export type LossKind = 'accuracy' | 'agreement';

/**
 * What a variant loses.
 *
 * @param kind - accuracy against the true classes, or agreement with the model's own
 * @param truth - the class of each image; there may be more of them than predictions
 * @param reference - what the model as it was trained says
 * @param variant - what the variant says
 */
export function lossOf(
  kind: LossKind,
  truth: Uint16Array,
  reference: Uint16Array,
  variant: Uint16Array,
): Loss {
  const images = variant.length;
  const before = reference.subarray(0, images);
  const changes = variant.filter((choice, image) => choice !== before[image]).length;
  const changed = changes / images;
  if (kind === 'accuracy')
    return { images, changed, points: pairedDifference(outcomesOf(kind, truth, reference, variant), images) };
  const { low, high } = wilson(changes, images);
  return { images, changed, points: { value: 100 * changed, low: 100 * low, high: 100 * high } };
}

/**
 * On how many images exactly one of the model as it was trained and a variant is right; where agreement is what counts, the model as
 * it was trained always is.
 *
 * @param kind - accuracy against the true classes, or agreement with the model's own
 * @param truth - the class of each image; there may be more of them than predictions
 * @param reference - what the model as it was trained says
 * @param variant - what the variant says
 */
export function outcomesOf(
  kind: LossKind,
  truth: Uint16Array,
  reference: Uint16Array,
  variant: Uint16Array,
): PairedOutcomes {
  const before = reference.subarray(0, variant.length);
  return pairedOutcomes(kind === 'accuracy' ? truth.subarray(0, variant.length) : before, before, variant);
}
