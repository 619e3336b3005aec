import type { TensorSource } from '../../onnx/tensor.js';
import { linearNames, type LinearForm, type LinearName } from '../linears.js';
import { formOf, weightOf, withWeights, type ViT } from '../vit.js';

/**
 * Weights that share a scale here. Every width of a ViT is a multiple of 32, so that nothing is filled up; with blocks of 128 the
 * kernel that SwiftShader gets takes seven times as long.
 */
const BLOCK_SIZE = 32;

/**
 * A model with its linears of int8 weights and inputs in weight-only form: the very same int8 weights, in MatMulNBits' layout, each row's scale
 * repeated for its blocks; inputs that are divided stay so. What is known of their ranges goes: MatMulNBits quantises its input itself
 * while it runs, or not at all, as the kernel likes.
 *
 * @param vit - the model
 */
export function weightOnly(vit: ViT): ViT {
  const weights: [string, TensorSource][] = [];
  const forms: [LinearName, LinearForm][] = [];
  for (const name of linearNames(vit.config)) {
    const form = formOf(vit, name);
    if (form.kind === 'float' || form.kind === 'blockwise') continue;
    const weight = weightOf(vit, `${name}.weight`);
    const blocks = Math.ceil(weight.dims[1]! / BLOCK_SIZE);
    const scales = Float32Array.from(
      { length: form.weightScales.length * blocks },
      (_, at) => form.weightScales[Math.floor(at / blocks)]!,
    );
    weights.push([`${name}.weight`, blocked(weight, blocks)]);
    const inputDivisors = form.kind === 'dynamic' ? undefined : form.inputDivisors;
    forms.push([name, { kind: 'blockwise', bits: 8, blockSize: BLOCK_SIZE, scales, inputDivisors }]);
  }
  return withWeights(vit, weights, forms);
}

/** int8 `[outputs, inputs]` as uint8 `[outputs, blocks, block]` around 128, which also fills what is left of the last block. */
function blocked(weight: TensorSource, blocks: number): TensorSource {
  const [rows, columns] = weight.dims as [number, number];
  return {
    dtype: 'uint8',
    dims: [rows, blocks, BLOCK_SIZE],
    read: async () => {
      const from = await weight.read();
      const width = blocks * BLOCK_SIZE;
      const to = new Uint8Array(rows * width).fill(128);
      for (let row = 0; row < rows; row++)
        // Turning the top bit over adds 128 to a two's complement byte.
        for (let column = 0; column < columns; column++)
          to[row * width + column] = from[row * columns + column]! ^ 0x80;
      return to;
    },
  };
}
