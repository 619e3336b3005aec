import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { chosenClasses, logitsFor } from '../observe/logits.js';

/**
 * Prepares to compare models with a reference on held-out training images.
 *
 * @param reference - the model whose classes count as right
 * @param context - runtime and images
 * @param images - how many to compare on
 * @returns a function that gives the share of images on which a model and the reference choose the same class; its second
 *   argument says which of the stage's trials the model is
 */
export async function agreementWith(
  reference: ViT,
  context: StageContext,
  images: number,
): Promise<(vit: ViT, trial: string) => Promise<number>> {
  const holdout = await context.calibration.holdout(images);
  const chosenBy = async (vit: ViT, trial: string): Promise<number[]> => {
    const walk = {
      name: `agreement.${trial}`,
      images: holdout,
      progress: [1, 1],
      what: `${trial}, `,
    } as const;
    return chosenClasses(await logitsFor(context, vit, walk), reference.config.labels.length);
  };
  const right = await chosenBy(reference, 'before quantising');
  return async (vit, trial) => {
    const chosen = await chosenBy(vit, trial);
    return chosen.filter((choice, image) => choice === right[image]).length / right.length;
  };
}
