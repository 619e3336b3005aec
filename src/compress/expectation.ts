import type { Estimate } from '../stats/interval.js';
import { leastExpected, mostExpected } from '../stats/rare-events.js';
import { chancesAfter } from './chances.js';
import type { LossKind } from './loss.js';

/**
 * What it is expected to cost that an image gets another class, in images: from 0 to 1.
 *
 * @param image - counted from 0
 * @param choice - its new class
 */
export type CostOfChange = (image: number, choice: number) => number;

/**
 * What it is expected to cost that an image gets another class: of accuracy, how much likelier the reference, made honest about its own
 * certainty, finds its own class of the image than the new one; of agreement, the image.
 *
 * @param kind - what may be lost
 * @param logits - `[images, classes]`, of the reference
 * @param truth - the class of each image
 * @param chosen - the class that the reference gives to each image
 */
export function costOfChange(
  kind: LossKind,
  logits: Float32Array,
  truth: Uint16Array,
  chosen: Uint16Array,
): CostOfChange {
  if (kind === 'agreement') return () => 1;
  const chances = chancesAfter(logits, truth, logits.length / truth.length);
  return (image, choice) => chances.of(image, chosen[image] ?? NaN) - chances.of(image, choice);
}

/**
 * The loss that is expected of images whose class changed, in percentage points, with its interval: Fay and Feuer's limits for weighted
 * sums of rare events.
 *
 * @param costs - what each of them is expected to cost, in images
 * @param images - how many were looked at, those that kept their class included
 * @param confidence - 0.95 for a 95 % interval
 */
export function expectedLoss(costs: readonly number[], images: number, confidence = 0.95): Estimate {
  const points = (sum: number): number => (100 * sum) / images;
  // Each end is missed by half of what is left.
  const each = (1 + confidence) / 2;
  return {
    value: points(costs.reduce((sum, cost) => sum + cost, 0)),
    low: points(leastExpected(costs, each)),
    high: points(mostExpected(costs, each)),
  };
}
