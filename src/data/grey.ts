/** Bits behind the point of `GREY_WEIGHTS`. */
export const GREY_BITS = 16;

/** What Pillow weighs red, green and blue by for grey (ITU-R BT.601, in its `Convert.c`), in 65536ths. */
export const GREY_WEIGHTS = [19595, 38470, 7471] as const;

/**
 * An image made grey as Pillow does it, all three colours alike.
 *
 * @param pixels - `[pixels, 3]`
 */
export function greyOf(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(pixels.length);
  const [red, green, blue] = GREY_WEIGHTS;
  const half = 2 ** (GREY_BITS - 1);
  for (let at = 0; at < pixels.length; at += 3) {
    const sum = red * pixels[at]! + green * pixels[at + 1]! + blue * pixels[at + 2]!;
    out.fill((sum + half) >> GREY_BITS, at, at + 3);
  }
  return out;
}
