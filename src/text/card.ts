import type { VariantFigures } from '../analysis/analysis.js';
import { cardOf } from '../analysis/model.js';
import * as format from './format.js';

/** Top-1 of the baseline and of the model's card may differ by so much (0.1 point) and still count as the same. */
const TOLERANCE = 0.001;

/**
 * What a model's card says of its accuracy on the same test images, and whether the baseline agrees.
 *
 * @param figures - of the baseline
 * @param dataset - what was classified
 * @returns a sentence; undefined where there is no card or nothing was scored
 */
export function cardNote(
  { variant, accuracy, features }: VariantFigures,
  dataset: string,
): string | undefined {
  const card = cardOf(variant);
  // A card speaks of a head.
  if (features !== undefined) return undefined;
  if (accuracy?.top1 === undefined || card?.images !== accuracy.images || card.dataset !== dataset)
    return undefined;
  const claimed = card.correct / card.images;
  const agrees = Math.abs(claimed - accuracy.top1.value) <= TOLERANCE;
  return (
    `${variant.model}: its card says ${format.percent(claimed, 2)} % top-1 (${format.integer(card.correct)} of ${format.integer(card.images)}, ${card.framework}); ` +
    `fp32 here ${agrees ? 'agrees' : 'does not agree'}, with ${accuracy.correct ?? 0} right.`
  );
}
