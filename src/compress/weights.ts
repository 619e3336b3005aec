import { InputError } from '../base/errors.js';
import { fromFloat16, toFloat16 } from '../onnx/half.js';
import { float32, tensorOf, viewAs, type TensorSource } from '../onnx/tensor.js';
import { weightOf, type ViT } from '../vit/vit.js';

/**
 * The elements of a float tensor of a model, as float32.
 *
 * @param vit - the model
 * @param name - the tensor
 * @throws InputError when an earlier stage of the recipe quantised the tensor
 */
export async function floatsOf(vit: ViT, name: string): Promise<Float32Array> {
  const tensor = weightOf(vit, name);
  const bytes = await tensor.read();
  switch (tensor.dtype) {
    case 'float32':
      return viewAs(bytes, Float32Array);
    case 'float16':
      return fromFloat16(viewAs(bytes, Uint16Array));
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
 * An entry for `withWeights`: new elements under a tensor's name, stored in the float type the tensor had.
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
  const half = weightOf(vit, name).dtype === 'float16';
  return [name, half ? tensorOf('float16', dims, toFloat16(floats)) : float32(dims, floats)];
}
