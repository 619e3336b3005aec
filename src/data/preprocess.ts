import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError, messageOf } from '../base/errors.js';
import { GraphBuilder, type Value } from '../onnx/builder.js';
import { batch } from '../onnx/dims.js';
import { dtypeCode } from '../onnx/dtype.js';
import type { OnnxModel } from '../onnx/model.js';
import { binary, cast, clip, matMul, transpose } from '../onnx/ops.js';
import { float32, tensorOf, type TensorSource } from '../onnx/tensor.js';
import { IMAGE_CHANNELS, IMAGE_SIDE } from './dataset.js';
import { resamplingWeights, WEIGHT_BITS, type Interpolation } from './resample.js';

/** What happens to an image before the model: resize to a square, then `(pixel · rescale − mean) / std` per channel. */
export interface Preprocessing {
  /** Side of the model's input, in pixels. */
  readonly size: number;
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

/** The filters by the number that Pillow gives them, which is what `resample` says. */
const interpolations: Record<number, Interpolation> = {
  0: 'nearest',
  2: 'linear',
  3: 'cubic',
};

const perChannel = z.array(z.number()).length(IMAGE_CHANNELS);
const configSchema = z.object({
  do_resize: z.boolean().default(true),
  size: z
    .union([
      z.number().int().positive(),
      z.object({ height: z.number().int().positive(), width: z.number().int().positive() }),
    ])
    .default(224),
  resample: z.number().int().default(2),
  do_center_crop: z.literal(false).default(false),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default([0.5, 0.5, 0.5]),
  image_std: perChannel.default([0.5, 0.5, 0.5]),
});

/**
 * Reads a `preprocessor_config.json` of a ViT image processor.
 *
 * @param path - the file
 * @throws InputError when it is malformed or asks for something that is not supported (a crop, another filter)
 */
export async function readPreprocessing(path: string): Promise<Preprocessing> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw refuse('the whole file', messageOf(error), 'a preprocessor_config.json');
  }
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw refuse(issue.path.join('.'), issue.message, 'the settings of a ViT image processor');
  }
  const config = parsed.data;
  const side = typeof config.size === 'number' ? config.size : config.size.height;
  if (typeof config.size !== 'number' && config.size.width !== side)
    throw refuse('size', JSON.stringify(config.size), 'a square');
  const interpolation = interpolations[config.resample];
  if (interpolation === undefined)
    throw refuse('resample', String(config.resample), '0 (nearest), 2 (bilinear) or 3 (bicubic)');
  return {
    size: config.do_resize ? side : IMAGE_SIDE,
    interpolation,
    rescale: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? config.image_mean : [0, 0, 0],
    std: config.do_normalize ? config.image_std : [1, 1, 1],
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
  const resized = size === IMAGE_SIDE ? pixels : resize(g, pixels, preprocessing);
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
      std.map((s, channel) => -mean[channel]! / s),
    ),
  );
  g.output(binary(g, 'Add', PIXEL_VALUES, binary(g, 'Mul', 'scaled', x, factor), offset));
  return g.finish();
}

/**
 * Rows first, then columns, each an integer product with the filter's weights, as Pillow computes it. ONNX's own Resize
 * treats the edges otherwise, does not store 8 bits between the two steps, and is slower.
 */
function resize(g: GraphBuilder, pixels: Value, { size, interpolation }: Preprocessing): Value {
  const weights = resamplingWeights(IMAGE_SIDE, size, interpolation);
  const across = g.constant('weights', tensorOf('int32', [IMAGE_SIDE, size], weights));
  const down = transpose(g, 'weights:down', across, [1, 0]);
  const x = cast(g, 'integer', pixels, 'int32', dtypeCode('int32'));
  const wide = toBytes(g, 'wide', matMul(g, 'wide:product', x, across));
  const dims = [batch, IMAGE_CHANNELS, size, size];
  const tall = g.call('MatMul', [down, wide], { name: 'tall:product', dtype: 'int32', dims });
  return toBytes(g, 'tall', tall);
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
