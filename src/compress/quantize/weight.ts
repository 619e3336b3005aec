import { tensorOf, type TensorSource } from '../../onnx/tensor.js';
import type { LinearForm } from '../../vit/linears.js';
import { isWeightFormat, type Format, type QuantizeOptions, type WeightFormat } from './options.js';
import {
  blockwiseGrid,
  dequantizeBlockwise,
  dequantizeInt8,
  int8Grid,
  nearest,
  packedBlocks,
  quantizeBlockwise,
  type InputRange,
  type Rounding,
} from './rounding.js';

/** A quantised weight: as the model stores it, and as the float numbers it stands for. */
export interface QuantizedWeight {
  readonly tensor: TensorSource;
  readonly form: LinearForm;
  /** `[outputs, inputs]`. */
  readonly rounded: Float32Array;
}

/**
 * What a weight becomes in the stage's format without any search of its own: what the searches of the input compare with.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param options - of the stage
 */
export function roundedWeight(weight: Float32Array, inputs: number, options: QuantizeOptions): Float32Array {
  const { format, perChannel, blockSize } = options;
  return isWeightFormat(format)
    ? dequantizeBlockwise(quantizeBlockwise(weight, inputs, bitsOf(format), blockSize), inputs)
    : nearest(weight, inputs, int8Grid(weight, inputs, perChannel));
}

/**
 * An int8 weight.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param format - how its linear computes
 * @param options - of the stage: whether each output has a scale of its own, and whether pairs of weights are bounded
 * @param input - how the linear's input is quantised
 * @param divisors - what each channel of the input is divided by before; undefined divides by nothing
 * @param clip - share of each output's largest weight that the scale covers
 * @param rounding - to its grid
 */
export async function int8Weight(
  weight: Float32Array,
  inputs: number,
  format: Exclude<Format, WeightFormat>,
  { perChannel, boundPairs }: Pick<QuantizeOptions, 'perChannel' | 'boundPairs'>,
  input: InputRange,
  divisors: Float32Array | undefined,
  clip: Float32Array,
  rounding: Rounding,
): Promise<QuantizedWeight> {
  const grid = int8Grid(weight, inputs, perChannel, clip, boundPairs);
  const int8 = { values: await rounding(weight, inputs, grid), scales: grid.scales };
  const { scale: inputScale, zeroPoint: inputZeroPoint } = input;
  return {
    tensor: tensorOf('int8', [weight.length / inputs, inputs], int8.values),
    form:
      format === 'dynamic'
        ? { kind: 'dynamic', weightScales: int8.scales }
        : {
            kind: format === 'qdq' ? 'qdq' : 'int8',
            ...{ weightScales: int8.scales, inputScale, inputZeroPoint },
            ...(divisors && { inputDivisors: divisors }),
          },
    rounded: dequantizeInt8(int8),
  };
}

/**
 * A weight in weight-only form.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param bits - 4 or 8
 * @param blockSize - inputs in a block
 * @param worth - how much an error at each input counts, for the clip search; undefined skips it
 * @param rounding - to its grid
 */
export async function blockwiseWeight(
  weight: Float32Array,
  inputs: number,
  bits: 4 | 8,
  blockSize: number,
  worth: Float64Array | undefined,
  rounding: Rounding,
): Promise<QuantizedWeight> {
  const grid = blockwiseGrid(weight, inputs, bits, blockSize, worth);
  const quantized = packedBlocks(await rounding(weight, inputs, grid), inputs, bits, grid);
  const dims = [weight.length / inputs, Math.ceil(inputs / blockSize), (blockSize * bits) / 8];
  return {
    tensor: tensorOf('uint8', dims, quantized.packed),
    form: { kind: 'blockwise', bits, blockSize, scales: quantized.scales },
    rounded: dequantizeBlockwise(quantized, inputs),
  };
}

/** Bits of a weight in a weight-only format. */
export function bitsOf(format: WeightFormat): 4 | 8 {
  return format === 'w8' ? 8 : 4;
}
