import { defined } from '../base/defined.js';
import { hashJson } from '../base/hash.js';
import { seededRandom } from '../base/random.js';
import type { Size } from '../base/size.js';
import type { DType } from '../onnx/dtype.js';
import { toFloat16 } from '../onnx/half.js';
import { activationMemory, constantBytes } from '../onnx/liveness.js';
import { byteLength, type TensorSource } from '../onnx/tensor.js';
import { layerCount } from '../vit/config.js';
import { buildGraph } from '../vit/graph/model.js';
import { PATCH, type LinearForm, type LinearName } from '../vit/linears.js';
import { weightOf, weightShapes, withWeights, type ViT } from '../vit/vit.js';

/**
 * The shapes of a model whose MLPs have other widths, with stand-ins for their weights.
 *
 * @param vit - a model whose MLPs are float
 * @param widths - one for each block
 */
export function withWidths(vit: ViT, widths: readonly number[]): ViT {
  const config = { ...vit.config, mlpSizes: widths };
  const shapes = weightShapes(config);
  const entries: (readonly [string, TensorSource])[] = [];
  for (let layer = 0; layer < layerCount(config); layer++)
    for (const name of ['fc1.weight', 'fc1.bias', 'fc2.weight'].map((each) => `layers.${layer}.${each}`))
      entries.push([
        name,
        standIn(name, weightOf(vit, name).dtype, defined(shapes.get(name), `the shape of ${name}`)),
      ]);
  return withWeights({ ...vit, config }, entries);
}

/**
 * The shapes of a model whose queries and keys have another width, with stand-ins for the weights of their linears.
 *
 * @param vit - a model in which they are float
 * @param size - the width in each head
 */
export function withQueryKeySize(vit: ViT, size: number): ViT {
  const config = { ...vit.config, queryKeySizes: vit.config.mlpSizes.map(() => size) };
  const shapes = weightShapes(config);
  const entries: (readonly [string, TensorSource])[] = [];
  for (let layer = 0; layer < layerCount(config); layer++)
    for (const role of ['q', 'k'])
      for (const name of ['weight', 'bias'].map((each) => `layers.${layer}.${role}.${each}`))
        entries.push([
          name,
          standIn(name, weightOf(vit, name).dtype, defined(shapes.get(name), `the shape of ${name}`)),
        ]);
  return withWeights({ ...vit, config }, entries);
}

/**
 * The shapes of a model whose patches have other sides, with stand-ins for its embedding and positions.
 *
 * @param vit - a model in which they are float
 * @param patchSize - sides of a patch in pixels
 */
export function withPatchSize(vit: ViT, patchSize: Size): ViT {
  const config = { ...vit.config, patchSize };
  const shapes = weightShapes(config);
  const resized = ['patch.weight', 'positions'].flatMap((name) => {
    const dims = shapes.get(name);
    return dims === undefined ? [] : [[name, standIn(name, weightOf(vit, name).dtype, dims)] as const];
  });
  return withWeights({ ...vit, config }, resized);
}

/** What a model takes in memory. */
export interface PredictedMemory {
  /** Bytes of weights and other constants. */
  readonly constants: number;
  /** Most bytes of activations that are alive at once. */
  readonly activations: number;
}

/**
 * Predicts a model's memory from its shapes.
 *
 * @param vit - a model, or the plan of one
 * @param images - how many run at once
 */
export function predictedMemory(vit: ViT, images: number): PredictedMemory {
  const graph = buildGraph(vit);
  return { constants: constantBytes(graph), activations: activationMemory(graph, images).peakBytes };
}

/**
 * A model with a linear of 8-bit weights, with stand-ins for them.
 *
 * @param vit - the model
 * @param linear - a float linear of it
 * @param format - with int8 inputs, or dynamic ones
 */
export function int8Shape(vit: ViT, linear: LinearName, format: 'w8a8' | 'qdq' | 'dynamic'): ViT {
  const name = `${linear}.weight`;
  const { dims } = weightOf(vit, name);
  const weightScales = new Float32Array(defined(dims[0], `the rows of ${name}`)).fill(1);
  const form: LinearForm =
    format === 'dynamic'
      ? { kind: 'dynamic', weightScales }
      : { kind: format === 'qdq' ? 'qdq' : 'int8', weightScales, inputScale: 1, inputZeroPoint: 0 };
  return withWeights(vit, [[name, standIn(name, 'int8', dims)]], [[linear, form]]);
}

/**
 * A model whose embedding reads its patches as bytes, with stand-ins for its weights.
 *
 * @param vit - a model whose embedding is float
 */
export function bytePatchesShape(vit: ViT): ViT {
  const name = `${PATCH}.weight`;
  const { dims } = weightOf(vit, name);
  const { channels, hiddenSize } = vit.config;
  const ones = new Float32Array(channels).fill(1);
  return {
    ...withWeights(vit, [[name, standIn(name, 'int8', dims)]]),
    bytePatches: { steps: ones, zeros: ones, weightScales: new Float32Array(hiddenSize).fill(1) },
  };
}

/**
 * A model with a linear whose weights alone are quantised, in blocks of inputs that share a scale; stand-ins for the weights.
 *
 * @param vit - the model
 * @param linear - a float linear of it
 * @param bits - of a weight
 * @param blockSize - inputs in a block
 */
export function blockwiseShape(vit: ViT, linear: LinearName, bits: 4 | 8, blockSize: number): ViT {
  const name = `${linear}.weight`;
  const [outputs, inputs] = weightOf(vit, name).dims as [number, number];
  const blocks = Math.ceil(inputs / blockSize);
  const scales = new Float32Array(outputs * blocks).fill(1);
  const packed = standIn(name, 'uint8', [outputs, blocks, (blockSize * bits) / 8]);
  return withWeights(vit, [[name, packed]], [[linear, { kind: 'blockwise', bits, blockSize, scales }]]);
}

/**
 * Elements that stand in for weights: different from tensor to tensor, since runtimes may share what is equal, and of usual
 * size, since subnormal numbers would be slow.
 *
 * @param name - of the tensor
 * @param dtype - of its elements
 * @param dims - its shape
 */
export function standIn(name: string, dtype: DType, dims: readonly number[]): TensorSource {
  const bytes = byteLength({ dtype, dims });
  return {
    dtype,
    dims,
    read: () => {
      const out = new Uint8Array(Math.ceil(bytes / PATTERN_BYTES) * PATTERN_BYTES);
      const random = seededRandom(Number.parseInt(hashJson(name).slice(0, 8), 16));
      const pattern = Float32Array.from({ length: PATTERN_BYTES / 4 }, () => (random.uniform() - 0.5) / 16);
      const half = dtype === 'float16' ? toFloat16(pattern) : pattern;
      out.set(new Uint8Array(half.buffer, 0, half.byteLength));
      for (let filled = half.byteLength; filled < out.length; filled *= 2) out.copyWithin(filled, 0, filled);
      return Promise.resolve(out.subarray(0, bytes));
    },
  };
}

/** Length of what is repeated to fill a tensor. */
const PATTERN_BYTES = 1 << 14;
