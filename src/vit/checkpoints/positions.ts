import { computed, floats } from '../derived.js';
import type { TensorSource } from '../../onnx/tensor.js';

/** How positions are resampled to another number of patches: by cubic splines, blurred before they are thinned out or not. */
export type Resampling = 'cubic' | 'cubic-antialiased';

/** Where the rows of a table of positions go. */
export interface PositionLayout {
  /** Rows that belong to the first tokens before the patches. */
  readonly leading: number;
  /** How many tokens stand before the patches; those beyond the leading rows get zeros. */
  readonly prefix: number;
  /** Patches along a side of the image. */
  readonly side: number;
  /** What is done with a table for another number of patches. */
  readonly resampling: Resampling | undefined;
}

/**
 * A table of positions as the model adds it to its tokens.
 *
 * @param table - `[leading + patches, hidden]`, the patches a square
 * @param layout - where its rows go
 * @returns `[prefix + side², hidden]`
 */
export function laidOutPositions(
  table: TensorSource,
  { leading, prefix, side, resampling }: PositionLayout,
): TensorSource {
  const [rows, width] = table.dims as [number, number];
  const there = Math.round(Math.sqrt(rows - leading));
  return computed([prefix + side ** 2, width], async () => {
    const values = await floats(table);
    const out = new Float32Array((prefix + side ** 2) * width);
    out.set(values.subarray(0, leading * width));
    const patches = values.subarray(leading * width);
    out.set(resampling ? resampled(patches, there, side, width, resampling) : patches, prefix * width);
    return out;
  });
}

/**
 * A square grid of vectors in another size, as PyTorch's `interpolate` does it (mode `bicubic`, corners not aligned).
 *
 * @param grid - `[from, from, width]`
 * @param from - its side
 * @param to - the new side
 * @param width - of a vector
 * @param how - with or without blurring before thinning out
 * @returns `[to, to, width]`; the same values where the side stays
 */
function resampled(
  grid: Float32Array,
  from: number,
  to: number,
  width: number,
  how: Resampling,
): Float32Array {
  if (from === to) return grid;
  const taps = how === 'cubic' ? plainTaps(from, to) : antialiasedTaps(from, to);
  const rows = new Float64Array(from * to * width);
  for (let y = 0; y < from; y++)
    for (const [x, of] of taps.entries())
      for (const { index, weight } of of)
        for (let c = 0; c < width; c++)
          rows[(y * to + x) * width + c]! += weight * grid[(y * from + index) * width + c]!;
  const out = new Float64Array(to * to * width);
  for (const [y, of] of taps.entries())
    for (const { index, weight } of of)
      for (let i = 0; i < to * width; i++) out[y * to * width + i]! += weight * rows[index * to * width + i]!;
  return Float32Array.from(out);
}

interface Tap {
  readonly index: number;
  readonly weight: number;
}

/** Four points around each new one, by the cubic of Keys with a = −0.75; beyond the edge the edge goes on. */
function plainTaps(from: number, to: number): Tap[][] {
  return Array.from({ length: to }, (_, i) => {
    const place = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(place) - 1;
    return [0, 1, 2, 3].map((k) => ({
      index: Math.min(from - 1, Math.max(0, first + k)),
      weight: cubic(first + k - place, -0.75),
    }));
  });
}

/** The points within reach of a cubic (a = −0.5) that is as much wider as the grid gets smaller; their weights sum to one. */
function antialiasedTaps(from: number, to: number): Tap[][] {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5));
    const last = Math.min(from, Math.trunc(centre + 2 * stretch + 0.5));
    const weights = Array.from({ length: last - first }, (_, j) =>
      cubic((j + first - centre + 0.5) / stretch, -0.5),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight, j) => ({ index: first + j, weight: weight / sum }));
  });
}

/** The cubic convolution kernel (Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 1981). */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}
