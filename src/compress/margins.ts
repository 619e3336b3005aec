import { normalTail } from '../stats/normal.js';

/** How sure a model is of its classes, and how much its logits vary. */
export interface Margins {
  /** How far the two largest logits of each image lie apart. */
  readonly apart: Float64Array;
  /** Of all logits. */
  readonly variance: number;
}

/**
 * How sure a model is of its classes.
 *
 * @param logits - `[images, classes]`
 * @param classes - how many
 */
export function marginsOf(logits: Float32Array, classes: number): Margins {
  const apart = Float64Array.from({ length: logits.length / classes }, (_, image) => {
    const [first = 0, second = 0] = logits
      .slice(image * classes, (image + 1) * classes)
      .sort()
      .reverse();
    return first - second;
  });
  const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length;
  const variance = logits.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logits.length;
  return { apart, variance };
}

/**
 * The share of images that would get another class if each logit were off by an error of its own, normally distributed. Of a few images
 * hardly one changes its class; their error is known well, and with it this. It tells large errors from small ones, and does not predict
 * how many change: errors are larger where a model is less sure, so that in a DINOv2-S three times as many did.
 *
 * @param margins - of the model
 * @param error - mean squared error of the logits, relative to their variance
 */
export function expectedChanges({ apart, variance }: Margins, error: number): number {
  if (error === 0) return 0;
  // The two largest logits are off independently of each other.
  const deviation = Math.sqrt(2 * error * variance) || 1;
  return apart.reduce((sum, margin) => sum + normalTail(margin / deviation), 0) / apart.length;
}
