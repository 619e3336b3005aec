import { attentionWidth, fc1Parts, layerCount, neuronsOf, queryKeyWidth, type ViTConfig } from './config.js';

/** The six linear layers of a transformer block, in execution order. */
export const linearRoles = ['q', 'k', 'v', 'o', 'fc1', 'fc2'] as const;

/** Which of the six linears of a block. */
export type LinearRole = (typeof linearRoles)[number];

/** Name of a linear layer, which is also the prefix of its weights: `layers.3.fc1`. */
export type LinearName = `layers.${number}.${LinearRole}`;

/** Name of the embedding of the patches, which is a linear of none of the blocks, and the prefix of its weights. */
export const PATCH = 'patch';

/** The name of a linear of a block. */
export function linearName(layer: number, role: LinearRole): LinearName {
  return `layers.${layer}.${role}`;
}

/** All linears of a model's blocks in execution order. */
export function linearNames(config: ViTConfig): LinearName[] {
  return Array.from({ length: layerCount(config) }, (_, layer) =>
    linearRoles.map((role) => linearName(layer, role)),
  ).flat();
}

/**
 * Input and output width of a linear.
 *
 * @returns `[inputs, outputs]`; the weight is stored as `[outputs, inputs]`
 */
export function linearWidths(config: ViTConfig, layer: number, role: LinearRole): [number, number] {
  const { hiddenSize } = config;
  const mlp = neuronsOf(config, layer);
  if (role === 'fc1') return [hiddenSize, fc1Parts(config) * mlp];
  if (role === 'fc2') return [mlp, hiddenSize];
  if (role === 'o') return [attentionWidth(config), hiddenSize];
  return [hiddenSize, role === 'v' ? attentionWidth(config) : queryKeyWidth(config, layer)];
}

/**
 * How a linear computes.
 *
 * `float` (also the default): a product with the weight as it is stored, float32 or float16.
 * `int8`: W8A8. The weight is int8, symmetric per output channel (`weightScales`, one for each output); the input is
 * quantised to uint8 with one scale and zero point, where asked for after each of its channels was divided by a number of its own.
 * `qdq`: the same arithmetic written as QuantizeLinear and DequantizeLinear around a float product, which a runtime
 * fuses or not: the form that other tools emit. The bias is int32, in multiples of the product's scale.
 * `dynamic`: int8 weights as above; the input is quantised while the model runs, with the range that the tensor then has,
 * whatever is in the batch.
 * `blockwise`: weight-only. The weight is uint8 in MatMulNBits' layout `[outputs, inputs / blockSize,
 * blockSize · bits / 8]`, around a zero point of `2^(bits-1)`, with one scale for each block (`scales`,
 * `[outputs, inputs / blockSize]`). Its input may be divided as that of `int8` is.
 */
export type LinearForm =
  | { readonly kind: 'float' }
  | {
      readonly kind: 'int8' | 'qdq';
      readonly weightScales: Float32Array;
      readonly inputScale: number;
      readonly inputZeroPoint: number;
      /** What each channel of the input is divided by before, `[inputs]`; the weight is that of the divided channels. Absent: by nothing. */
      readonly inputDivisors?: Float32Array | undefined;
    }
  | { readonly kind: 'dynamic'; readonly weightScales: Float32Array }
  | {
      readonly kind: 'blockwise';
      readonly bits: 4 | 8;
      readonly blockSize: number;
      readonly scales: Float32Array;
      readonly inputDivisors?: Float32Array | undefined;
    };
