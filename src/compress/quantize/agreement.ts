import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openStream } from '../observe/blocks.js';

/**
 * Prepares to compare models with a reference on held-out training images.
 *
 * @param reference - the model whose classes count as right
 * @param context - runtime and images
 * @param images - how many to compare on
 * @returns a function that gives the share of images on which a model and the reference choose the same class
 */
export async function agreementWith(
  reference: ViT,
  context: StageContext,
  images: number,
): Promise<(vit: ViT) => Promise<number>> {
  const holdout = await context.calibration.holdout(images);
  const classes = reference.config.labels.length;
  const chosenBy = async (vit: ViT): Promise<number[]> => {
    const stream = await openStream(context, vit, holdout);
    for (let layer = 0; layer < layerCount(vit.config); layer++) await stream.advance(vit, layer);
    return argmaxRows(await stream.logits(vit), classes);
  };
  const right = await chosenBy(reference);
  return async (vit) => {
    const chosen = await chosenBy(vit);
    return chosen.filter((choice, image) => choice === right[image]).length / right.length;
  };
}

function argmaxRows(logits: Float32Array, classes: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, row) => {
    const start = row * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[start + c]! > logits[start + best]!) best = c;
    return best;
  });
}
