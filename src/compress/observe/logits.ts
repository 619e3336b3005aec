import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { walkBlocks, type Walk } from './walk.js';

/**
 * The logits that a model gives for some images, block by block.
 *
 * @param context - runtime and threads
 * @param vit - the model
 * @param walk - the images, and how the stage calls this
 * @returns `[images, classes]`
 */
export async function logitsFor(
  context: StageContext,
  vit: ViT,
  walk: Omit<Walk<unknown>, 'visit'>,
): Promise<Float32Array> {
  const last = layerCount(vit.config) - 1;
  const { values } = await walkBlocks<Float32Array | undefined>(context, vit, {
    ...walk,
    async visit(_, stream, layer) {
      if (layer === last) return { vit, value: await stream.logits(vit) };
      await stream.advance(vit, layer);
      return { vit, value: undefined };
    },
  });
  return values[last]!;
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

/** How far a model's logits lie from another's for the same images. */
export interface Apart {
  /** Mean squared difference of the logits, relative to their variance. */
  readonly error: number;
  /** Share of images with the same class. */
  readonly agreement: number;
}

/**
 * How far a model's logits lie from another's.
 *
 * @param logits - `[images, classes]`
 * @param reference - the other's, for the same images
 * @param classes - how many
 */
export function logitsApart(logits: Float32Array, reference: Float32Array, classes: number): Apart {
  const mean = reference.reduce((sum, value) => sum + value, 0) / reference.length;
  let [squared, variance] = [0, 0];
  for (const [i, value] of reference.entries()) {
    squared += (logits[i]! - value) ** 2;
    variance += (value - mean) ** 2;
  }
  const right = chosenClasses(reference, classes);
  const same = chosenClasses(logits, classes).filter((choice, image) => choice === right[image]).length;
  return { error: squared / (variance || 1), agreement: same / right.length };
}
