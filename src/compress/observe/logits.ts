import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { openStream } from './blocks.js';

/**
 * The logits that a model gives for some images, block by block.
 *
 * @param context - runtime and threads
 * @param vit - the model
 * @param images - the images
 * @returns `[images, classes]`
 */
export async function logitsFor(context: StageContext, vit: ViT, images: Calibration): Promise<Float32Array> {
  const stream = await openStream(context, vit, images);
  for (let layer = 0; layer < layerCount(vit.config); layer++) await stream.advance(vit, layer);
  return stream.logits(vit);
}

/**
 * The class that each row of logits speaks for.
 *
 * @param logits - `[images, classes]`
 * @param classes - how many
 */
export function chosenClasses(logits: Float32Array, classes: number): number[] {
  return Array.from({ length: logits.length / classes }, (_, row) => {
    const start = row * classes;
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[start + c]! > logits[start + best]!) best = c;
    return best;
  });
}
