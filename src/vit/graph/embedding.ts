import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import {
  asMatrix,
  binary,
  concat,
  gemm,
  matMulIntegerToFloat,
  quantizeLinear,
  reshape,
  transpose,
} from '../../onnx/ops.js';
import { float32, scalar, tensorOf } from '../../onnx/tensor.js';
import type { PixelBytes } from '../byte-patches.js';
import { gridOf, patchCount, patchValues, prefixOf } from '../config.js';
import type { ViT } from '../vit.js';
import { floatConstant, matrixConstant } from './constants.js';
import { emitNorm } from './norm.js';

/** Name of a model's input. */
export const INPUT = 'pixel_values';

/** Adds a model's input: preprocessed pixels `[batch, channels, height, width]`. */
export function emitPixels(g: GraphBuilder, vit: ViT): Value {
  const { channels, imageSize } = vit.config;
  return g.input(INPUT, 'float32', [batch, channels, imageSize.height, imageSize.width]);
}

/**
 * Adds the embedding: the image cut into patches, each a row times the patch matrix, the class token and its like before them, the
 * positions added, and the first LayerNorm of a model that has one. A convolution whose stride is its kernel is this product; as a Gemm it needs no
 * im2col.
 *
 * @param g - the graph
 * @param vit - the model
 * @param pixels - `[batch, channels, height, width]`
 * @returns `[batch·tokens, hidden]`
 */
export function emitEmbedding(g: GraphBuilder, vit: ViT, pixels: Value): Value {
  const { hiddenSize } = vit.config;
  const projected = emitPatches(g, vit, pixels);
  const sequence = reshape(g, 'patch:sequence', projected, [batch, patchCount(vit.config), hiddenSize]);
  const before = emitPrefix(g, vit, pixels);
  const tokens = before.length === 0 ? sequence : concat(g, 'tokens', [...before, sequence], 1);
  return emitPositioned(g, vit, tokens);
}

/**
 * Adds the positions to tokens, and the first LayerNorm of a model that has one.
 *
 * @param tokens - `[batch, tokens, hidden]`
 * @returns `[batch·tokens, hidden]`
 */
function emitPositioned(g: GraphBuilder, vit: ViT, tokens: Value): Value {
  const { positions = true, firstNorm = false } = vit.config;
  const positioned = positions
    ? binary(g, 'Add', 'embedded', tokens, floatConstant(g, vit, 'positions'))
    : tokens;
  const rows = asMatrix(g, 'embedding', positioned);
  return firstNorm ? emitNorm(g, vit, 'first_norm', rows) : rows;
}

/**
 * Adds the projection of an image's patches: `[batch·patches, hidden]`.
 *
 * @param pixels - `[batch, channels, height, width]`
 */
export function emitPatches(g: GraphBuilder, vit: ViT, pixels: Value): Value {
  const { bytePatches } = vit;
  const rows = emitRows(g, vit, bytePatches ? emitBytes(g, pixels, bytePatches) : pixels);
  const weight = matrixConstant(g, vit, 'patch.weight');
  const bias = floatConstant(g, vit, 'patch.bias');
  if (bytePatches === undefined) return gemm(g, 'patch', rows, weight, bias);
  const { weightScales } = bytePatches;
  const scales = {
    a: g.constant('patch.input_scale', scalar(1)),
    b: g.constant('patch.weight_scales', float32([weightScales.length], weightScales)),
  };
  const zeroPoint = g.constant('patch.input_zero_point', tensorOf('uint8', [], Uint8Array.of(0)));
  return matMulIntegerToFloat(g, 'patch', rows, weight, scales, zeroPoint, bias);
}

/**
 * Adds the cut into patches, each a row: `[batch·patches, channels·patch height·patch width]`, of the type of the pixels.
 *
 * @param pixels - `[batch, channels, height, width]`
 */
export function emitRows(g: GraphBuilder, vit: ViT, pixels: Value): Value {
  const { channels, patchSize } = vit.config;
  const { height: down, width: across } = gridOf(vit.config);
  const cut = reshape(g, 'patches:cut', pixels, [
    ...[batch, channels, down, patchSize.height, across, patchSize.width],
  ]);
  const ordered = transpose(g, 'patches:ordered', cut, [0, 2, 4, 1, 3, 5]);
  return reshape(g, 'patches', ordered, [{ perBatch: patchCount(vit.config) }, patchValues(vit.config)]);
}

/**
 * Adds the bytes that normalised pixels were made of, uint8, before anything is moved: they take a quarter of the room. The byte of a
 * normalised 0 is added first, and no zero point taken, since that has no fraction: with the usual mean of a half, pixels would lie
 * in the middle between two integers, and the last bit of a sum decide.
 *
 * @param pixels - `[batch, channels, height, width]`
 * @param bytes - of which they were made
 */
export function emitBytes(g: GraphBuilder, pixels: Value, { steps, zeros }: PixelBytes): Value {
  const channels = steps.length;
  const black = float32(
    [channels, 1, 1],
    zeros.map((zero, channel) => zero * (steps[channel] ?? NaN)),
  );
  const raised = binary(g, 'Add', 'pixels:raised', pixels, g.constant('pixels:black', black));
  const scale = g.constant('pixels:steps', float32([channels], steps));
  const zeroPoint = g.constant('pixels:zeros', tensorOf('uint8', [channels], new Uint8Array(channels)));
  return quantizeLinear(g, 'pixels:bytes', raised, scale, zeroPoint, 1);
}

/** What stands before the patches, once for each image: `[batch, count, hidden]` each. */
function emitPrefix(g: GraphBuilder, vit: ViT, pixels: Value): Value[] {
  const { hiddenSize } = vit.config;
  const prefix = prefixOf(vit.config);
  if (prefix.length === 0) return [];
  const batchSize = g.call(
    'Shape',
    [pixels],
    { name: 'batch_size', dtype: 'int64', dims: [1] },
    { attributes: { start: { type: 'int', value: 0 }, end: { type: 'int', value: 1 } } },
  );
  return prefix.map(({ name, count }) => {
    const shape = concat(g, `${name}:shape`, [batchSize, g.indices([count, hiddenSize])], 0);
    return g.call('Expand', [floatConstant(g, vit, name), shape], {
      name: `${name}:all`,
      dtype: 'float32',
      dims: [batch, count, hiddenSize],
    });
  });
}
