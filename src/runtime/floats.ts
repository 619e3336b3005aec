import { fromFloat16, toFloat16 } from '../onnx/half.js';
import type { Engine, Session, Tensor } from './engine.js';

/**
 * Values as a model's first input takes them: float32, or float16 where that is its type.
 *
 * @param engine - the runtime
 * @param session - the open model
 * @param values - as many as the shape has
 * @param dims - the shape
 */
export function floatInput(
  engine: Engine,
  { inputType }: Pick<Session, 'inputType'>,
  values: Float32Array,
  dims: readonly number[],
): Tensor {
  return inputType === 'float16'
    ? engine.tensor('float16', toFloat16(values), dims)
    : engine.tensor('float32', values, dims);
}

/**
 * The values of an output of floats.
 *
 * @param tensor - float32 or float16
 * @throws Error for another type
 */
export function floatOutput({ type, data }: Tensor): Float32Array {
  if (type === 'float32') return data as Float32Array;
  if (type !== 'float16') throw new Error(`the model gave values of the type ${type}, not floats`);
  // Where JavaScript has an array of its own for them, the runtime gives that.
  const { buffer, byteOffset, length } = data as Uint16Array;
  return fromFloat16(new Uint16Array(buffer, byteOffset, length));
}
