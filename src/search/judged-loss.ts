import { costOfChange, expectedLoss } from '../compress/expectation.js';
import { lossOf, type Loss, type LossKind } from '../compress/loss.js';
import type { Estimate } from '../stats/interval.js';

/** What a recipe, or a knob alone, loses. */
export interface JudgedLoss extends Loss {
  /**
   * Percentage points of accuracy that the images whose class changed are expected to cost, by how likely the model as it was trained finds
   * both classes; left out where agreement counts, of which the count says all.
   */
  readonly expected?: Estimate;
}

/** What candidates are compared by, in percentage points: the expected loss, and where agreement counts, what was counted. */
export function lossEstimate({ expected, points }: JudgedLoss): Estimate {
  return expected ?? points;
}

/**
 * Judges by what the model as it was trained says.
 *
 * @param kind - accuracy against the true classes, or agreement with the model's own
 * @param logits - `[images, classes]`, of the model as it was trained
 * @param truth - the class of each image
 * @param reference - the class that the model as it was trained gives to each
 * @returns a function of what a variant says of the first images, of so many as there are classes
 */
export function judgeBy(
  kind: LossKind,
  logits: Float32Array,
  truth: Uint16Array,
  reference: Uint16Array,
): (variant: Uint16Array) => JudgedLoss {
  const cost = costOfChange(kind, logits, truth, reference);
  return (variant) => {
    const loss = lossOf(kind, truth, reference, variant);
    if (kind === 'agreement') return loss;
    const costs: number[] = [];
    for (const [image, choice] of variant.entries())
      if (choice !== reference[image]) costs.push(cost(image, choice));
    return { ...loss, expected: expectedLoss(costs, loss.images) };
  };
}
