import { sameSize, sizeText, type Size } from '../base/size.js';
import type { Interpolation } from './resample.js';

/** How images are resized and cut before a model, apart from what becomes of their values. */
export interface Resizing {
  /** Sides of the model's input, in pixels. */
  readonly size: Size;
  /** Sides to which images are resized before the centre is cut out; `size` where nothing is cut. */
  readonly resizedTo?: Size;
  /**
   * What becomes of an image whose sides are in another proportion: they are changed alone where this is left out. With `shortest` the
   * shorter side becomes that of `resizedTo`, a square, and the other follows; with `cover` the image is made as small as it can be
   * without any side getting smaller than that of `resizedTo`; in both cases more is cut away of the longer one. `uncut` is `shortest`
   * with nothing cut away: images must be of the input's proportion. With `none` nothing is resized: they must have the size of
   * `resizedTo` as they are.
   */
  readonly fit?: 'shortest' | 'cover' | 'uncut' | 'none';
  /**
   * Where the centre begins when the pixels to be cut away are odd in number: one less before it than behind, or, with `even`, at the
   * even one of the two places, as Python rounds halves. Libraries differ.
   */
  readonly cropRounding?: 'even';
  readonly interpolation: Interpolation;
  /** Whether the model takes one channel: images are made grey, as Pillow does, before they are resized. */
  readonly grey?: true;
  /** Channels of the images and of the model, where they are neither colours nor grey. */
  readonly channels?: number;
}

/** The part of a preprocessing that resizes and cuts. */
export function resizingOf(resizing: Resizing): Resizing {
  const { size, resizedTo, fit, cropRounding, interpolation, grey, channels } = resizing;
  return {
    size,
    ...(resizedTo !== undefined && { resizedTo }),
    ...(fit !== undefined && { fit }),
    ...(cropRounding !== undefined && { cropRounding }),
    interpolation,
    ...(grey && { grey }),
    ...(channels !== undefined && { channels }),
  };
}

/** Why an image cannot be brought to the size of the input. */
export class ShapeError extends Error {}

/**
 * The sides to which an image is resized before its centre is cut out.
 *
 * @param image - its sides
 * @param resizing - what the model's image processor does
 * @throws ShapeError when the processor leaves the image's proportion as it is, and that is not the input's
 */
export function resizedShape(image: Size, { size, resizedTo = size, fit }: Resizing): Size {
  const { height, width } = image;
  switch (fit) {
    case undefined:
      return resizedTo;
    case 'none':
      if (!sameSize(image, resizedTo)) throw new ShapeError(`an image of ${sizeText(image)} pixels`);
      return image;
    case 'cover': {
      // As timm rounds: to the nearest, halves to even numbers.
      const ratio = Math.min(height / resizedTo.height, width / resizedTo.width);
      return { height: toEven(height / ratio), width: toEven(width / ratio) };
    }
    case 'shortest':
    case 'uncut': {
      const side = Math.min(resizedTo.height, resizedTo.width);
      // As torchvision and Transformers round: down.
      const longer = Math.floor((side * Math.max(width, height)) / Math.min(width, height));
      const shape = width <= height ? { height: longer, width: side } : { height: side, width: longer };
      if (fit === 'uncut' && !sameSize(shape, size))
        throw new ShapeError(`an image of ${sizeText(image)} pixels`);
      return shape;
    }
  }
}

/** The nearest whole number, of two the even one, as Python rounds. */
function toEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

/**
 * How many pixels are cut away above the centre of a resized image, and to the left of it.
 *
 * @param shape - sides of the resized image
 * @param resizing - the part that stays, and how halves are rounded
 */
export function cutBefore(
  shape: Size,
  { size, cropRounding }: Resizing,
): { readonly top: number; readonly left: number } {
  const before = (resized: number, side: number): number => {
    const half = (resized - side) / 2;
    return cropRounding === undefined ? Math.floor(half) : toEven(half);
  };
  return { top: before(shape.height, size.height), left: before(shape.width, size.width) };
}

/**
 * How torchvision resizes and cuts out the centre, timm as well; where no square is cut out, timm covers it.
 *
 * @param size - what is cut out
 * @param resizedTo - of what
 * @param squashed - whether each side is resized by itself
 */
export function centred(size: Size, resizedTo: Size, squashed = false): Omit<Resizing, 'interpolation'> {
  const fit = resizedTo.height === resizedTo.width ? 'shortest' : 'cover';
  return {
    size,
    ...(!sameSize(size, resizedTo) && { resizedTo }),
    ...(!squashed && { fit }),
    cropRounding: 'even',
  };
}

/**
 * Whether Pillow 13 begins with the columns: where the height shrinks by far more than the width.
 *
 * @param given - sides of the image
 * @param shape - sides of the resized image
 */
export function columnsFirst(given: Size, shape: Size): boolean {
  const shrinks = given.height - shape.height;
  return shrinks > 0 && shrinks > 2 * (given.width - shape.width);
}
