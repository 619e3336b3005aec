import { area, divided, isWhole, type Size } from '../../base/size.js';
import { resamplingTaps, WEIGHT_BITS } from '../../data/resample.js';
import type { ViTConfig } from '../../vit/config.js';

/**
 * The largest patches of the same shape that divide the image and leave enough of them.
 *
 * @param config - the architecture
 * @param keep - share of the patches to keep at least
 * @returns their sides in pixels; undefined where none are larger
 */
export function largerPatch(
  { imageSize, patchSize }: Pick<ViTConfig, 'imageSize' | 'patchSize'>,
  keep: number,
): Size | undefined {
  let largest: Size | undefined;
  for (let height = patchSize.height + 1; height <= imageSize.height; height++) {
    const patch = { height, width: (patchSize.width * height) / patchSize.height };
    const grid = divided(imageSize, patch);
    if (!isWhole(patch) || !isWhole(grid)) continue;
    if (area(grid) >= keep * area(divided(imageSize, patchSize))) largest = patch;
  }
  return largest;
}

/**
 * The weights of an embedding for larger patches: what they give of a patch is what the given ones would of the patch resized to
 * the size that they were learned for, by Pillow's cubic filter. Resizing is linear, x ↦ D·x·Eᵀ, so that ⟨w, D·x·Eᵀ⟩ = ⟨Dᵀ·w·E, x⟩: nothing
 * is left to do when the model runs (as FlexiViT has it for its training, arXiv 2212.08013, section 3.4, with another resize).
 *
 * @param weight - `[hidden, channels · from.height · from.width]`
 * @param from - sides of the patches that the weights are for
 * @param to - sides of those that they are to be for
 * @returns `[hidden, channels · to.height · to.width]`
 */
export function resizedWeights(weight: Float32Array, from: Size, to: Size): Float32Array {
  const down = resizing(to.height, from.height);
  const across = resizing(to.width, from.width);
  const kernels = weight.length / area(from);
  const out = new Float32Array(kernels * area(to));
  const rows = new Float64Array(from.height * to.width);
  for (let kernel = 0; kernel < kernels; kernel++) {
    rows.fill(0);
    for (let y = 0; y < from.height; y++)
      for (let x = 0; x < from.width; x++) {
        const w = weight[kernel * area(from) + y * from.width + x]!;
        for (let column = 0; column < to.width; column++)
          rows[y * to.width + column]! += w * across[x * to.width + column]!;
      }
    const target = out.subarray(kernel * area(to), (kernel + 1) * area(to));
    for (let row = 0; row < to.height; row++)
      for (let column = 0; column < to.width; column++) {
        let sum = 0;
        for (let y = 0; y < from.height; y++)
          sum += down[y * to.height + row]! * rows[y * to.width + column]!;
        target[row * to.width + column] = sum;
      }
  }
  return out;
}

/** How a row of pixels becomes a shorter one: `[to, from]`. */
function resizing(from: number, to: number): Float64Array {
  const { count, first, weights } = resamplingTaps(from, to, 'cubic');
  const matrix = new Float64Array(to * from);
  for (let target = 0; target < to; target++)
    for (let tap = 0; tap < count; tap++)
      matrix[target * from + first[target]! + tap]! += weights[target * count + tap]! / 2 ** WEIGHT_BITS;
  return matrix;
}
