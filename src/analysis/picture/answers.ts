import type { StoredCell, StoredDevice } from '../../store/read.js';

/** An image that gets another class than fp32 gives it. */
export interface ChangedImage {
  /** Its place in the test split. */
  readonly image: number;
  /** Its right class. */
  readonly label: number;
  readonly before: number;
  readonly now: number;
}

/** What a variant answers for the test images. */
export interface Answers {
  readonly device: StoredDevice;
  readonly images: number;
  /** `[class][answer]`: how many images of a class get an answer. */
  readonly confusion: readonly (readonly number[])[];
  /** The same of fp32; undefined for fp32 itself, and where it was not scored on the same images. */
  readonly before: readonly (readonly number[])[] | undefined;
  /** Whose answer changed, in the order of the images; none where `before` is undefined. */
  readonly changed: readonly ChangedImage[];
}

/**
 * What a variant answers for the test images, and what changed against fp32.
 *
 * @param cell - a done cell of accuracy
 * @param baseline - the baseline's on the same device
 * @returns undefined where no predictions are stored
 */
export function answersBy(cell: StoredCell, baseline: StoredCell | undefined): Answers | undefined {
  const { predictions, device } = cell;
  if (predictions === undefined) return undefined;
  const { labels, predicted } = predictions;
  const theirs = baseline?.predictions?.predicted;
  const before = theirs?.length === labels.length ? theirs : undefined;
  const classes =
    1 + [...labels, ...predicted, ...(before ?? [])].reduce((most, each) => Math.max(most, each), 0);
  return {
    ...{ device, images: labels.length, confusion: confusionOf(labels, predicted, classes) },
    before: before && confusionOf(labels, before, classes),
    changed: (before ?? []).flatMap((was, image) => {
      const [label, now] = [labels[image], predicted[image]];
      return label === undefined || now === undefined || now === was
        ? []
        : [{ image, label, before: was, now }];
    }),
  };
}

function confusionOf(labels: readonly number[], answers: readonly number[], classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  for (const [image, label] of labels.entries()) {
    const [row, answer] = [counts[label], answers[image]];
    if (row !== undefined && answer !== undefined) row[answer] = (row[answer] ?? 0) + 1;
  }
  return counts;
}
