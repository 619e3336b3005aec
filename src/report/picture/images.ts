import { loadSharp } from '../../data/images/sharp.js';
import type { TracedImage } from '../../run/trace/trace.js';
import type { TokenPatches } from '../../run/trace/patches.js';

/** An image as its data set has it: red, green and blue, a plane each, row by row. */
export interface SmallImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** About so wide a picture is, in pixels. */
const WIDTH = 168;

/** An image, larger. */
export function plainPicture(image: SmallImage): Promise<string> {
  return drawn(image, (colour) => colour);
}

/**
 * An image whose patches are the brighter the more attention they get, compared with the one that gets most: by the square root, so
 * that what gets little is still seen.
 *
 * @param image - the image
 * @param attention - of each patch
 * @param side - patches of a side
 */
export function attentionPicture(
  image: SmallImage,
  attention: TracedImage['attention'],
  side: number,
): Promise<string> {
  const most = Math.max(...attention);
  return drawn(image, (colour, x, y) => {
    const share = most > 0 ? (attention[patchAt(x, y, side)] ?? 0) / most : 0;
    return colour.map((part) => part * (0.15 + 0.85 * Math.sqrt(share)));
  });
}

/**
 * An image on which patches that became one token have one colour, their mean, and a line around them.
 *
 * @param image - the image
 * @param tokens - the patches of each
 * @param side - patches of a side
 */
export function mergedPicture(image: SmallImage, tokens: TokenPatches, side: number): Promise<string> {
  const tokenOf = new Map(
    tokens.flatMap((patches, token) => patches.map((patch) => [patch, token] as const)),
  );
  const at = (x: number, y: number): number => tokenOf.get(patchAt(x, y, side)) ?? -1;
  const means = tokens.map((patches) =>
    patches.length < 2 ? undefined : meanOf(image, new Set(patches), side),
  );
  const step = 1 / scaled(image).width;
  return drawn(image, (colour, x, y) => {
    const own = at(x, y);
    const edge = [at(x + step, y), at(x, y + step)].some((other) => other !== own);
    return edge && x + step < 1 && y + step < 1 ? [255, 255, 255] : (means[own] ?? colour);
  });
}

/** The patch at a place, from 0 to 1 both. */
function patchAt(x: number, y: number, side: number): number {
  const place = (part: number): number => Math.min(side - 1, Math.floor(part * side));
  return place(y) * side + place(x);
}

function meanOf(image: SmallImage, patches: ReadonlySet<number>, side: number): number[] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = 0; y < image.height; y++)
    for (let x = 0; x < image.width; x++) {
      if (!patches.has(patchAt((x + 0.5) / image.width, (y + 0.5) / image.height, side))) continue;
      count++;
      for (const [plane, part] of colourAt(image, x, y).entries()) sums[plane] = (sums[plane] ?? 0) + part;
    }
  return sums.map((sum) => (count === 0 ? 0 : sum / count));
}

function colourAt({ width, height, pixels }: SmallImage, x: number, y: number): number[] {
  return [0, 1, 2].map((plane) => pixels[(plane * height + y) * width + x] ?? 0);
}

function scaled({ width, height }: SmallImage): { width: number; height: number } {
  const factor = Math.max(1, Math.round(WIDTH / width));
  return { width: width * factor, height: height * factor };
}

/** A picture as a data URL, each of its pixels from the colour of the image there. */
async function drawn(
  image: SmallImage,
  colourOf: (colour: number[], x: number, y: number) => readonly number[],
): Promise<string> {
  const open = await loadSharp();
  const { width, height } = scaled(image);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [across, down] = [(x + 0.5) / width, (y + 0.5) / height];
      const from = colourAt(image, Math.floor(across * image.width), Math.floor(down * image.height));
      data.set(
        colourOf(from, across, down).map((part) => Math.round(part)),
        (y * width + x) * 3,
      );
    }
  const png = await open(data, { raw: { width, height, channels: 3 } })
    .png({ palette: false })
    .toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
