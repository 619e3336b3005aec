/** Sides of an image, of a patch, or of a grid of patches. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Both sides alike. */
export function square(side: number): Size {
  return { height: side, width: side };
}

/** Sides as libraries write them: one number for a square, or height and width. */
export function sizeOf(sides: number | readonly [height: number, width: number]): Size {
  return typeof sides === 'number' ? square(sides) : { height: sides[0], width: sides[1] };
}

/** The inverse of `sizeOf`. */
export function sidesOf({ height, width }: Size): number | [height: number, width: number] {
  return height === width ? height : [height, width];
}

/** Height times width. */
export function area({ height, width }: Size): number {
  return height * width;
}

/** Whether two sizes are the same. */
export function sameSize(a: Size, b: Size): boolean {
  return a.height === b.height && a.width === b.width;
}

/** Whether a size fits into another. */
export function within(inner: Size, outer: Size): boolean {
  return inner.height <= outer.height && inner.width <= outer.width;
}

/**
 * How many of a smaller size lie along each side of a larger one.
 *
 * @param whole - of an image
 * @param part - of a patch
 * @returns fractions where it does not divide the whole
 */
export function divided(whole: Size, part: Size): Size {
  return { height: whole.height / part.height, width: whole.width / part.width };
}

/** Whether both sides are whole numbers. */
export function isWhole({ height, width }: Size): boolean {
  return Number.isInteger(height) && Number.isInteger(width);
}

/** A size in messages: `224` for a square, or `height 64, width 128`. */
export function sizeText({ height, width }: Size): string {
  return height === width ? String(height) : `height ${height}, width ${width}`;
}
