import { bytesPerElement, type DType } from './dtype.js';

/**
 * A constant tensor that is read only when it is needed, so that a model of several GB never lies in
 * memory whole. Elements are row-major and little-endian.
 */
export interface TensorSource {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Reads the elements. The caller must not change the bytes: they may be shared. */
  read(): Promise<Uint8Array>;
}

/** How many elements a shape has; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** How many bytes a tensor's elements take. */
export function byteLength(tensor: Pick<TensorSource, 'dtype' | 'dims'>): number {
  return elementCount(tensor.dims) * bytesPerElement(tensor.dtype);
}

type NumericArray =
  Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int32Array | BigInt64Array;

/**
 * A tensor over a typed array that is in memory already.
 *
 * @param dtype - element type; `float16` and `bfloat16` take their bits in a `Uint16Array`
 * @param dims - shape; its element count must be the array's length
 * @param data - the elements; kept, not copied
 * @throws RangeError when the shape does not have as many elements as the array
 */
export function tensorOf(dtype: DType, dims: readonly number[], data: NumericArray): TensorSource {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.byteLength !== byteLength({ dtype, dims }))
    throw new RangeError(`${dtype}[${dims.join(',')}] cannot hold ${data.length} elements`);
  return { dtype, dims, read: () => Promise.resolve(bytes) };
}

/** A float32 tensor over an array in memory. */
export function float32(dims: readonly number[], data: Float32Array | readonly number[]): TensorSource {
  return tensorOf('float32', dims, data instanceof Float32Array ? data : Float32Array.from(data));
}

/** A float32 scalar. */
export function scalar(value: number): TensorSource {
  return float32([], [value]);
}

/** An int64 vector, the form in which ONNX takes shapes, axes and indices. */
export function int64s(values: readonly number[]): TensorSource {
  return tensorOf('int64', [values.length], BigInt64Array.from(values, BigInt));
}

/**
 * The bytes of a tensor as a view of the wanted typed array; copied only when they are not aligned for it.
 *
 * @param bytes - what `TensorSource.read` gave
 * @param ArrayType - for example `Float32Array`
 */
export function viewAs<T>(
  bytes: Uint8Array,
  ArrayType: {
    new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
    readonly BYTES_PER_ELEMENT: number;
  },
): T {
  const aligned = bytes.byteOffset % ArrayType.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new ArrayType(aligned.buffer, aligned.byteOffset, aligned.byteLength / ArrayType.BYTES_PER_ELEMENT);
}
