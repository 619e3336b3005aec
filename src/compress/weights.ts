import { fromFloat16 } from '../onnx/half.js';
import { float32, viewAs, type TensorSource } from '../onnx/tensor.js';
import { weightOf, type ViT } from '../vit/vit.js';

/**
 * The elements of a float tensor of a model, as float32.
 *
 * @param vit - the model
 * @param name - the tensor
 * @throws Error when the tensor is quantised: the stages that need floats come before the one that quantises
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
      throw new Error(`${name} is ${tensor.dtype}: this stage needs it as a float, before quantisation`);
  }
}

/**
 * An entry for `withWeights`: a float32 tensor under a name.
 *
 * @param name - the tensor
 * @param dims - its shape
 * @param values - its elements; rounded to float32 when they are float64
 */
export function floatEntry(
  name: string,
  dims: readonly number[],
  values: Float32Array | Float64Array,
): readonly [string, TensorSource] {
  return [name, float32(dims, values instanceof Float32Array ? values : Float32Array.from(values))];
}
