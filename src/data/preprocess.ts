import { sameSize, type Size } from '../base/size.js';
import { GraphBuilder, type Value } from '../onnx/builder.js';
import { batch } from '../onnx/dims.js';
import { dtypeCode } from '../onnx/dtype.js';
import type { OnnxModel } from '../onnx/model.js';
import { binary, cast, clip, matMul, reshape, transpose } from '../onnx/ops.js';
import { float32, tensorOf, type TensorSource } from '../onnx/tensor.js';
import { GREY_BITS, GREY_WEIGHTS } from './grey.js';
import { cifarLayout, IMAGE_CHANNELS } from './dataset.js';
import { resamplingWeights, WEIGHT_BITS } from './resample.js';
import { centred, columnsFirst, cutBefore, resizedShape, type Resizing } from './resizing.js';

/**
 * What happens to an image before the model: resize it, cut out its centre, then `(pixel · rescale − mean) / std` per channel.
 */
export interface Preprocessing extends Resizing {
  /** The data set gives images that are resized and cut already: the graph only normalises. */
  readonly resized?: true;
  readonly rescale: number;
  /** One number for each channel that the model takes. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Channels that the model takes: three, one of grey, or as many as the images have that are neither. */
export function channelsOf({ grey, channels = IMAGE_CHANNELS }: Pick<Resizing, 'grey' | 'channels'>): number {
  return grey ? 1 : channels;
}

/** Names of the graph's input and output. */
export const PIXELS = 'pixels';
export const PIXEL_VALUES = 'pixel_values';

/** What ViTs are trained with where nothing else is said. */
export function defaultPreprocessing(size: Size): Preprocessing {
  return { size, interpolation: 'linear', rescale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
}

/** Mean and deviation of ImageNet's channels, which many models are trained with. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * What torchvision's ViTs are evaluated with: resized to 256/224 of the input's sides, the centre cut out.
 *
 * @param size - the input's sides
 */
export function torchvisionPreprocessing(size: Size): Preprocessing {
  const resizedTo = scaled(size, (side) => Math.round((side * 256) / 224));
  return { ...centred(size, resizedTo), interpolation: 'linear', rescale: 1 / 255, ...IMAGENET };
}

function scaled({ height, width }: Size, scale: (side: number) => number): Size {
  return { height: scale(height), width: scale(width) };
}

/** What timm's configuration of a model says of its images. */
export interface TimmImages {
  readonly interpolation?: 'bicubic' | 'bilinear' | 'nearest' | undefined;
  /** Which share of the resized image's sides is the input's. */
  readonly crop_pct?: number | null | undefined;
  /** Whether the shape of an image that is no square stays (`center`) or not (`squash`). */
  readonly crop_mode?: 'center' | 'squash' | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/**
 * The preprocessing that timm does for evaluation.
 *
 * @param images - what the model's configuration says; timm's defaults stand for the rest
 * @param size - the input's sides
 */
export function timmPreprocessing(images: TimmImages, size: Size): Preprocessing {
  const filters = { bicubic: 'cubic', bilinear: 'linear', nearest: 'nearest' } as const;
  const share = images.crop_pct ?? 0.875;
  const resizedTo = scaled(size, (side) => Math.max(side, Math.floor(side / share)));
  return {
    ...centred(size, resizedTo, images.crop_mode === 'squash'),
    interpolation: filters[images.interpolation ?? 'bicubic'],
    rescale: 1 / 255,
    mean: images.mean ?? IMAGENET.mean,
    std: images.std ?? IMAGENET.std,
  };
}

/**
 * What bytes become: every image is one of bytes until it is normalised, resized or not, so that a pixel of byte p is
 * `(p − zeros) · steps` in its channel.
 *
 * @param preprocessing - the settings
 * @returns one number for each channel
 */
export function pixelBytes({ rescale, mean, std }: Pick<Preprocessing, 'rescale' | 'mean' | 'std'>): {
  readonly steps: Float32Array;
  readonly zeros: Float32Array;
} {
  return {
    steps: Float32Array.from(std, (deviation) => rescale / deviation),
    zeros: Float32Array.from(mean, (middle) => middle / rescale),
  };
}

/** The sides of the images that a preprocessing begins with. */
function givenShape({ resized, size }: Preprocessing): Size {
  return resized ? size : { height: cifarLayout.height, width: cifarLayout.width };
}

/**
 * The preprocessing as a graph, so that every device does it alike: `pixels` uint8 `[batch, 3, height, width]` of `givenShape`, or of as many
 * channels as the images have, to `pixel_values` float32 `[batch, channels, height, width]` of the input. Images are resized as Pillow does it, to the last bit.
 *
 * @param preprocessing - the settings
 * @throws ShapeError when the images cannot be brought to the size of the input without changing their proportion
 */
export function preprocessingGraph(preprocessing: Preprocessing): OnnxModel {
  const { size, mean, std, rescale, grey, channels: planes = IMAGE_CHANNELS } = preprocessing;
  const g = new GraphBuilder('preprocess');
  const given = givenShape(preprocessing);
  const pixels = g.input(PIXELS, 'uint8', [batch, planes, given.height, given.width]);
  const shape = preprocessing.resized ? size : resizedShape(given, preprocessing);
  const asItIs = sameSize(given, size) && sameSize(shape, size);
  const whole = grey || !asItIs ? cast(g, 'integer', pixels, 'int32', dtypeCode('int32')) : pixels;
  const channel = grey ? toGrey(g, whole, given) : whole;
  const resized = asItIs ? channel : resize(g, channel, { given, shape, preprocessing });
  const x = cast(g, 'float', resized, 'float32', dtypeCode('float32'));
  const channels = [channelsOf(preprocessing), 1, 1];
  const factor = g.constant(
    'factor',
    float32(
      channels,
      std.map((s) => rescale / s),
    ),
  );
  const offset = g.constant(
    'offset',
    float32(
      channels,
      std.map((s, channel) => -(mean[channel] ?? NaN) / s),
    ),
  );
  g.output(binary(g, 'Add', PIXEL_VALUES, binary(g, 'Mul', 'scaled', x, factor), offset));
  return g.finish();
}

/** Three colours as one, int32, as Pillow makes images grey (`convert('L')`). */
function toGrey(g: GraphBuilder, pixels: Value, { height, width }: Size): Value {
  const weights = g.constant(
    'grey:weights',
    tensorOf('int32', [1, IMAGE_CHANNELS], Int32Array.from(GREY_WEIGHTS)),
  );
  const planes = reshape(g, 'grey:planes', pixels, [batch, IMAGE_CHANNELS, height * width]);
  const dims = [batch, 1, height * width];
  const sum = g.call('MatMul', [weights, planes], { name: 'grey:sum', dtype: 'int32', dims });
  const whole = toBytes(g, 'grey:plane', sum, GREY_BITS);
  return reshape(g, 'grey', whole, [batch, 1, height, width]);
}

/**
 * Rows first, then columns, each an integer product with the filter's weights, as Pillow computes it; columns first where it does so. ONNX's
 * own Resize treats the edges otherwise, does not store 8 bits between the two steps, and is slower.
 *
 * @param pixels - int32 `[batch, channels, height, width]`
 * @param way - sides of the images, sides to which they are resized, and what is cut out
 */
function resize(
  g: GraphBuilder,
  pixels: Value,
  way: { readonly given: Size; readonly shape: Size; readonly preprocessing: Preprocessing },
): Value {
  const { given, shape, preprocessing } = way;
  const { size, interpolation } = preprocessing;
  const { top, left } = cutBefore(shape, preprocessing);
  const channels = channelsOf(preprocessing);
  const wide = columns(
    resamplingWeights(given.width, shape.width, interpolation),
    given.width,
    left,
    size.width,
  );
  const tall = columns(
    resamplingWeights(given.height, shape.height, interpolation),
    given.height,
    top,
    size.height,
  );
  const across = g.constant('weights', tensorOf('int32', [given.width, size.width], wide));
  const downwards = g.constant('weights:columns', tensorOf('int32', [given.height, size.height], tall));
  const down = transpose(g, 'weights:down', downwards, [1, 0]);
  const rows = (x: Value): Value => toBytes(g, 'wide', matMul(g, 'wide:product', x, across), WEIGHT_BITS);
  const lines = (x: Value, width: number): Value => {
    const dims = [batch, channels, size.height, width];
    const product = g.call('MatMul', [down, x], { name: 'tall:product', dtype: 'int32', dims });
    return toBytes(g, 'tall', product, WEIGHT_BITS);
  };
  return columnsFirst(given, shape) ? rows(lines(pixels, given.width)) : lines(rows(pixels), size.width);
}

/** Some columns of `[rows, …]` weights: what is cut away need not be computed. */
function columns(weights: Int32Array, rows: number, first: number, count: number): Int32Array {
  const all = weights.length / rows;
  const out = new Int32Array(rows * count);
  for (let row = 0; row < rows; row++)
    out.set(weights.subarray(row * all + first, row * all + first + count), row * count);
  return out;
}

/** From fixed-point of so many bits behind the point to the nearest value that 8 bits can hold. */
function toBytes(g: GraphBuilder, name: string, fixed: Value, bits: number): Value {
  const half = g.constant(`${name}:half`, integer(2 ** (bits - 1)));
  const one = g.constant(`${name}:one`, integer(2 ** bits));
  const black = g.constant(`${name}:black`, integer(0));
  const white = g.constant(`${name}:white`, integer(255));
  // The division rounds towards zero, below which there is only black.
  const whole = binary(g, 'Div', `${name}:whole`, binary(g, 'Add', `${name}:rounded`, fixed, half), one);
  return clip(g, name, whole, black, white);
}

function integer(value: number): TensorSource {
  return tensorOf('int32', [], Int32Array.of(value));
}
