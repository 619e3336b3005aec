import { InputError } from '../base/errors.js';
import { firstNotFinite } from '../base/finite.js';
import { FLOAT16_MAX, fromFloat16, toFloat16 } from '../onnx/half.js';
import { float32, tensorOf, viewAs, type TensorSource } from '../onnx/tensor.js';
import { weightOf, type ViT } from '../vit/vit.js';

/**
 * The elements of a float tensor of a model, as float32.
 *
 * @param vit - the model
 * @param name - the tensor
 * @throws InputError when an earlier stage of the recipe quantised the tensor, or not all of its elements are finite
 */
export async function floatsOf(vit: ViT, name: string): Promise<Float32Array> {
  const tensor = weightOf(vit, name);
  const bytes = await tensor.read();
  switch (tensor.dtype) {
    case 'float32':
      return finite(viewAs(bytes, Float32Array), name);
    case 'float16':
      return finite(fromFloat16(viewAs(bytes, Uint16Array)), name);
    default:
      throw new InputError({
        source: 'recipe',
        place: name,
        found: `${tensor.dtype} weights`,
        expected: 'float weights: stages that change weights come before the one that quantises them',
      });
  }
}

/**
 * Numbers as they are, once it is clear that all of them are finite: one that is not would go unnoticed through minima,
 * scales and roundings, and leave a model of zeros.
 *
 * @param values - weights, or what was observed of activations
 * @param place - where in the model they stand
 * @throws InputError when one is infinite or not a number
 */
export function finite(values: Float32Array, place: string): Float32Array {
  const at = firstNotFinite(values);
  if (at === -1) return values;
  throw new InputError({
    source: 'the model',
    place,
    found: String(values[at]),
    expected: 'finite numbers',
    hint: 'The weights are damaged, or too large for the type they were stored in.',
  });
}

/**
 * An entry for `withWeights`: new elements under a tensor's name, stored in the float type the tensor had unless they are
 * too large for it.
 *
 * @param vit - the model as it was
 * @param name - the tensor
 * @param dims - its new shape
 * @param values - its new elements; rounded to the stored type
 */
export function floatEntry(
  vit: ViT,
  name: string,
  dims: readonly number[],
  values: Float32Array | Float64Array,
): readonly [string, TensorSource] {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  const half =
    weightOf(vit, name).dtype === 'float16' && floats.every((value) => Math.abs(value) <= FLOAT16_MAX);
  return [name, half ? tensorOf('float16', dims, toFloat16(floats)) : float32(dims, floats)];
}
