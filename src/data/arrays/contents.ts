import { MAX_IMAGES } from '../dataset.js';
import type { Marks } from '../marks.js';
import { NpyError, type NpyArray } from './npy.js';

/** The images of an array. */
export interface ArrayImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** One of grey, three of colours, or what else the array holds. */
  readonly channels: number;
  readonly order: 'together' | 'apart';
  /** All of them, one after another. */
  readonly pixels: Uint8Array;
}

/** A side beyond this is none of an image. */
const MAX_SIDE = 65_535;

/** An axis that is longer is a side. */
const MAX_CHANNELS = 512;

const SHAPES =
  '(images, height, width), (images, height, width, channels) or (images, channels, height, width): 1 channel, 3, or others in a smaller number than either side has pixels';

/**
 * The images of an array of whole numbers from 0 to 255.
 *
 * @param array - `[images, height, width]`, `[images, height, width, channels]` or `[images, channels, height, width]`
 * @throws NpyError when it has another shape or other values, or its shape may be read in two ways
 */
export function imagesIn({ dims, type, values }: NpyArray): ArrayImages {
  const shape = shapeOf(dims);
  const { count, height, width } = shape;
  if (!(
    count >= 1 &&
    count <= MAX_IMAGES &&
    height >= 1 &&
    width >= 1 &&
    Math.max(height, width) <= MAX_SIDE
  ))
    throw new NpyError(
      `the shape (${dims.join(', ')})`,
      `1 to ${MAX_IMAGES} images of 1 to ${MAX_SIDE} pixels a side`,
    );
  if (values instanceof Uint8Array && type === 'u1') return { ...shape, pixels: values };
  if (values instanceof Float32Array || values instanceof Float64Array)
    throw new NpyError(
      `floats (${type}) of unknown range`,
      'whole numbers from 0 to 255: where 1 is white, save (images * 255).round().astype("uint8")',
    );
  if (type === 'b1' || isTexts(values))
    throw new NpyError(`values of the type ${type}`, 'whole numbers from 0 to 255');
  const pixels = new Uint8Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = Number(values[at]);
    if (value < 0 || value > 255)
      throw new NpyError(`the value ${value} at ${at}`, 'whole numbers from 0 to 255');
    pixels[at] = value;
  }
  return { ...shape, pixels };
}

function shapeOf(dims: readonly number[]): Omit<ArrayImages, 'pixels'> {
  const [count = 0, a = 0, b = 0, c] = dims;
  const shape = `the shape (${dims.join(', ')})`;
  if (dims.length === 3) return { count, height: a, width: b, channels: 1, order: 'together' };
  if (dims.length !== 4 || c === undefined) throw new NpyError(shape, SHAPES);
  const [apart, together] = [isUsual(a), isUsual(c)];
  if (apart && together)
    throw new NpyError(`${shape}, whose channels may be the second axis or the last`, SHAPES);
  if (together || (!apart && isFew(c, a, b)))
    return { count, height: a, width: b, channels: c, order: 'together' };
  if (apart || isFew(a, b, c)) return { count, height: b, width: c, channels: a, order: 'apart' };
  throw new NpyError(shape, SHAPES);
}

/** Whether an axis is as long as that of channels is in nearly all arrays. */
function isUsual(dim: number): boolean {
  return dim === 1 || dim === 3;
}

/** Whether an axis can be none of the sides beside it: of no two axes both can be so. */
function isFew(dim: number, ...sides: readonly number[]): boolean {
  return dim >= 1 && dim <= MAX_CHANNELS && sides.every((side) => dim < side);
}

/**
 * What stands in an array for the classes of images.
 *
 * @param array - `[images]` or `[images, 1]`, of whole numbers or texts
 * @throws NpyError when it has another shape or other values
 */
export function marksIn({ dims, type, values }: NpyArray): Marks {
  if (!(dims.length === 1 || (dims.length === 2 && dims[1] === 1)))
    throw new NpyError(
      `the shape (${dims.join(', ')})`,
      'one label for each image: (images) or (images, 1); where a row has a 1 at its class, save labels.argmax(1)',
    );
  if (isTexts(values)) return { kind: 'names', values };
  if (type === 'b1' || values instanceof Float32Array || values instanceof Float64Array)
    throw new NpyError(`labels of the type ${type}`, 'whole numbers or texts');
  return { kind: 'numbers', values: Array.from<number | bigint, number>(values, Number) };
}

/**
 * What an array calls the classes.
 *
 * @param array - `[classes]`, of texts
 * @throws NpyError when it holds anything else
 */
export function classNamesIn({ dims, type, values }: NpyArray): readonly string[] {
  if (dims.length === 1 && isTexts(values)) return values;
  throw new NpyError(
    `values of the type ${type} in the shape (${dims.join(', ')})`,
    'the names of the classes',
  );
}

function isTexts(values: NpyArray['values']): values is readonly string[] {
  return Array.isArray(values);
}
