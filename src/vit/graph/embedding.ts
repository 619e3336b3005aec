import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, binary, concat, gemm, reshape, transpose } from '../../onnx/ops.js';
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
  const { channels, patchSize } = vit.config;
  const { height: down, width: across } = gridOf(vit.config);
  const patches = patchCount(vit.config);
  const cut = reshape(g, 'patches:cut', pixels, [
    ...[batch, channels, down, patchSize.height, across, patchSize.width],
  ]);
  const ordered = transpose(g, 'patches:ordered', cut, [0, 2, 4, 1, 3, 5]);
  const rows = reshape(g, 'patches', ordered, [{ perBatch: patches }, patchValues(vit.config)]);
  const weight = matrixConstant(g, vit, 'patch.weight');
  return gemm(g, 'patch', rows, weight, floatConstant(g, vit, 'patch.bias'));
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
