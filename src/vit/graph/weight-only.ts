import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { perPatchValue } from '../byte-patches.js';
import { computed, floats } from '../derived.js';
import { linearNames, PATCH, type LinearForm, type LinearName } from '../linears.js';
import { formOf, weightOf, withWeights, type ViT } from '../vit.js';

/**
 * Weights that share a scale here. Every width of a ViT is a multiple of 32, so that nothing is filled up; with blocks of 128 the
 * kernel that SwiftShader gets takes seven times as long.
 */
const BLOCK_SIZE = 32;

/**
 * A model with its linears of int8 weights and inputs in weight-only form: the very same int8 weights, in MatMulNBits' layout, each row's scale
 * repeated for its blocks; inputs that are divided stay so. What is known of their ranges goes: MatMulNBits quantises its input itself
 * while it runs, or not at all, as the kernel likes. An embedding that reads bytes reads normalised pixels again, and multiplies them in float32 by what
 * its weights stand for.
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
  return withFloatPatches(withWeights(vit, weights, forms));
}

/** A pixel x is the byte `x / steps + zeros`: what is multiplied becomes a part of the weight, what is added one of the bias. */
function withFloatPatches(vit: ViT): ViT {
  const { bytePatches, config } = vit;
  if (bytePatches === undefined) return vit;
  const { weightScales } = bytePatches;
  const steps = perPatchValue(config, bytePatches.steps);
  const zeros = perPatchValue(config, bytePatches.zeros);
  const inputs = steps.length;
  const [stored, added] = [weightOf(vit, `${PATCH}.weight`), weightOf(vit, `${PATCH}.bias`)];
  const integers = async (): Promise<Int8Array> => viewAs(await stored.read(), Int8Array);
  const weight = computed(stored.dims, async () =>
    Float32Array.from(await integers(), (w, at) => {
      return (w * weightScales[Math.floor(at / inputs)]!) / steps[at % inputs]!;
    }),
  );
  const bias = computed(added.dims, async () => {
    const rows = await integers();
    const sums = await floats(added);
    return sums.map((sum, o) => {
      const row = rows.subarray(o * inputs, (o + 1) * inputs);
      return sum + weightScales[o]! * row.reduce((all, w, i) => all + w * zeros[i]!, 0);
    });
  });
  const changed = withWeights(vit, [
    [`${PATCH}.weight`, weight],
    [`${PATCH}.bias`, bias],
  ]);
  return { ...changed, bytePatches: undefined };
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
