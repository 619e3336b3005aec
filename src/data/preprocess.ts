import { GraphBuilder, type Value } from '../onnx/builder.js';
import { batch } from '../onnx/dims.js';
import { dtypeCode } from '../onnx/dtype.js';
import type { OnnxModel } from '../onnx/model.js';
import { binary, cast, clip, matMul, transpose } from '../onnx/ops.js';
import { float32, tensorOf, type TensorSource } from '../onnx/tensor.js';
import { IMAGE_CHANNELS, IMAGE_SIDE } from './dataset.js';
import { resamplingWeights, WEIGHT_BITS, type Interpolation } from './resample.js';

/**
 * What happens to an image before the model: resize to a square, cut out its centre, then `(pixel · rescale − mean) / std` per
 * channel.
 */
export interface Preprocessing {
  /** Side of the model's input, in pixels. */
  readonly size: number;
  /** Side to which images are resized before the centre is cut out; `size` where nothing is cut. */
  readonly resizedTo?: number;
  /**
   * Pixels that are cut away before the centre; half of those that are cut away, rounded down, where it is left out. Libraries
   * differ where that is no whole number.
   */
  readonly cutBefore?: number;
  readonly interpolation: Interpolation;
  readonly rescale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Names of the graph's input and output. */
export const PIXELS = 'pixels';
export const PIXEL_VALUES = 'pixel_values';

/** What ViTs are trained with where nothing else is said. */
export function defaultPreprocessing(size: number): Preprocessing {
  return { size, interpolation: 'linear', rescale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
}

/** Mean and deviation of ImageNet's channels, which many models are trained with. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * What torchvision's ViTs are evaluated with: resized to 256/224 of the input's side, the centre cut out.
 *
 * @param size - the input's side
 */
export function torchvisionPreprocessing(size: number): Preprocessing {
  const resizedTo = Math.round((size * 256) / 224);
  return { ...centred(size, resizedTo), interpolation: 'linear', rescale: 1 / 255, ...IMAGENET };
}

/**
 * Where torchvision cuts out the centre, in timm as well: half of what is cut away, rounded to the even number where it lies between two,
 * as Python rounds.
 */
function centred(size: number, resizedTo: number): Pick<Preprocessing, 'size' | 'resizedTo' | 'cutBefore'> {
  const half = (resizedTo - size) / 2;
  const down = Math.floor(half);
  const cutBefore = half === down || down % 2 === 0 ? down : down + 1;
  return { size, resizedTo, ...(cutBefore !== down && { cutBefore }) };
}

/** What timm's configuration of a model says of its images. */
export interface TimmImages {
  readonly interpolation?: 'bicubic' | 'bilinear' | 'nearest' | undefined;
  /** Which share of the resized image's side is the input's. */
  readonly crop_pct?: number | null | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
}

/**
 * The preprocessing that timm does for evaluation.
 *
 * @param images - what the model's configuration says; timm's defaults stand for the rest
 * @param size - the input's side
 */
export function timmPreprocessing(images: TimmImages, size: number): Preprocessing {
  const filters = { bicubic: 'cubic', bilinear: 'linear', nearest: 'nearest' } as const;
  const resizedTo = Math.floor(size / (images.crop_pct ?? 0.875));
  return {
    ...(resizedTo > size ? centred(size, resizedTo) : { size }),
    interpolation: filters[images.interpolation ?? 'bicubic'],
    rescale: 1 / 255,
    mean: images.mean ?? IMAGENET.mean,
    std: images.std ?? IMAGENET.std,
  };
}

/**
 * The preprocessing as a graph, so that every device does it alike: `pixels` uint8 `[batch, 3, 32, 32]` to
 * `pixel_values` float32 `[batch, 3, size, size]`. Images are resized as Pillow does it, to the last bit.
 *
 * @param preprocessing - the settings
 */
export function preprocessingGraph(preprocessing: Preprocessing): OnnxModel {
  const { size, mean, std, rescale } = preprocessing;
  const g = new GraphBuilder('preprocess');
  const pixels = g.input(PIXELS, 'uint8', [batch, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE]);
  const asItIs = size === IMAGE_SIDE && preprocessing.resizedTo === undefined;
  const resized = asItIs ? pixels : resize(g, pixels, preprocessing);
  const x = cast(g, 'float', resized, 'float32', dtypeCode('float32'));
  const channels = [IMAGE_CHANNELS, 1, 1];
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

/**
 * Rows first, then columns, each an integer product with the filter's weights, as Pillow computes it. ONNX's own Resize
 * treats the edges otherwise, does not store 8 bits between the two steps, and is slower.
 */
function resize(
  g: GraphBuilder,
  pixels: Value,
  { size, resizedTo = size, cutBefore = Math.floor((resizedTo - size) / 2), interpolation }: Preprocessing,
): Value {
  const weights = columns(resamplingWeights(IMAGE_SIDE, resizedTo, interpolation), cutBefore, size);
  const across = g.constant('weights', tensorOf('int32', [IMAGE_SIDE, size], weights));
  const down = transpose(g, 'weights:down', across, [1, 0]);
  const x = cast(g, 'integer', pixels, 'int32', dtypeCode('int32'));
  const wide = toBytes(g, 'wide', matMul(g, 'wide:product', x, across));
  const dims = [batch, IMAGE_CHANNELS, size, size];
  const tall = g.call('MatMul', [down, wide], { name: 'tall:product', dtype: 'int32', dims });
  return toBytes(g, 'tall', tall);
}

/** Some columns of `[IMAGE_SIDE, …]` weights: what is cut away need not be computed. */
function columns(weights: Int32Array, first: number, count: number): Int32Array {
  const all = weights.length / IMAGE_SIDE;
  const out = new Int32Array(IMAGE_SIDE * count);
  for (let row = 0; row < IMAGE_SIDE; row++)
    out.set(weights.subarray(row * all + first, row * all + first + count), row * count);
  return out;
}

/** From fixed-point to the nearest value that 8 bits can hold. */
function toBytes(g: GraphBuilder, name: string, fixed: Value): Value {
  const half = g.constant(`${name}:half`, integer(2 ** (WEIGHT_BITS - 1)));
  const one = g.constant(`${name}:one`, integer(2 ** WEIGHT_BITS));
  const black = g.constant(`${name}:black`, integer(0));
  const white = g.constant(`${name}:white`, integer(255));
  // The division rounds towards zero, below which there is only black.
  const whole = binary(g, 'Div', `${name}:whole`, binary(g, 'Add', `${name}:rounded`, fixed, half), one);
  return clip(g, name, whole, black, white);
}

function integer(value: number): TensorSource {
  return tensorOf('int32', [], Int32Array.of(value));
}
