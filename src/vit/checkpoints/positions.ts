import { area, sameSize, square, type Size } from '../../base/size.js';
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
  /** Patches below and beside each other. */
  readonly grid: Size;
  /** … of the image that the table was learned for; a square of them unless given. */
  readonly learnedGrid?: Size;
  /** What is done with a table for another number of patches. */
  readonly resampling: Resampling | undefined;
}

/**
 * A table of positions as the model adds it to its tokens.
 *
 * @param table - `[leading + patches, hidden]`: the patches of such an image, or of a square one where they are resampled
 * @param layout - where its rows go
 * @returns `[prefix + patches, hidden]`
 */
export function laidOutPositions(
  table: TensorSource,
  { leading, prefix, grid, learnedGrid, resampling }: PositionLayout,
): TensorSource {
  const [rows, width] = table.dims as [number, number];
  const there = learnedGrid ?? square(Math.round(Math.sqrt(rows - leading)));
  const patches = area(grid);
  return computed([prefix + patches, width], async () => {
    const values = await floats(table);
    const out = new Float32Array((prefix + patches) * width);
    out.set(values.subarray(0, leading * width));
    const learned = values.subarray(leading * width);
    out.set(resampling ? resampled(learned, there, grid, width, resampling) : learned, prefix * width);
    return out;
  });
}

/**
 * A table of BEiT's distances as Transformers reads it: what it holds of pairs of patches, `[2·height − 1, 2·width − 1]`, is taken for
 * `[2·width − 1, 2·height − 1]` and resampled to the former (`BeitRelativePositionBias.forward`), which changes nothing of a square.
 *
 * @param table - `[heads, distances]`, the last three of tokens before the patches
 * @param grid - of the image
 */
export function distancesAsTransformersReads(table: TensorSource, grid: Size): TensorSource {
  if (grid.height === grid.width) return table;
  const [heads, count] = table.dims as [number, number];
  const to = { height: 2 * grid.height - 1, width: 2 * grid.width - 1 };
  const from = { height: to.width, width: to.height };
  return computed(table.dims, async () => {
    const out = Float32Array.from(await floats(table));
    for (let head = 0; head < heads; head++) {
      const own = out.subarray(head * count, head * count + area(to));
      own.set(resampled(own, from, to, 1, 'linear'));
    }
    return out;
  });
}

/**
 * A grid of vectors in another size, as PyTorch's `interpolate` does it (modes `bicubic` and `bilinear`, corners not aligned).
 *
 * @param grid - `[from.height, from.width, width]`
 * @param from - its sides
 * @param to - the new sides
 * @param width - of a vector
 * @param how - with or without blurring before thinning out
 * @returns `[to.height, to.width, width]`; the same values where the sides stay
 */
function resampled(
  grid: Float32Array,
  from: Size,
  to: Size,
  width: number,
  how: Resampling | 'linear',
): Float32Array {
  if (sameSize(from, to)) return grid;
  const taps = { cubic: plainTaps, 'cubic-antialiased': antialiasedTaps, linear: linearTaps }[how];
  const [across, down] = [taps(from.width, to.width), taps(from.height, to.height)];
  const line = to.width * width;
  const rows = new Float64Array(from.height * line);
  for (let y = 0; y < from.height; y++)
    for (const [x, of] of across.entries())
      for (const { index, weight } of of)
        for (let c = 0; c < width; c++)
          rows[y * line + x * width + c]! += weight * grid[(y * from.width + index) * width + c]!;
  const out = new Float64Array(to.height * line);
  for (const [y, of] of down.entries())
    for (const { index, weight } of of)
      for (let i = 0; i < line; i++) out[y * line + i]! += weight * rows[index * line + i]!;
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

/** The two points around each new one; beyond the edge the edge goes on. */
function linearTaps(from: number, to: number): Tap[][] {
  return Array.from({ length: to }, (_, i) => {
    const place = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const first = Math.min(from - 1, Math.floor(place));
    return [
      { index: first, weight: 1 - (place - first) },
      { index: Math.min(from - 1, first + 1), weight: place - first },
    ];
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
