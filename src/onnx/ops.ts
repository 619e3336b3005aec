import { defined } from '../base/defined.js';
import type { GraphBuilder, Value } from './builder.js';
import { productOf, type Dim } from './dims.js';
import type { DType } from './dtype.js';
import type { Attribute } from './model.js';

/**
 * The operators EdgeFlex emits, one function each: it adds the node to the graph and returns the result with its
 * type and shape. `name` names the result and the node. Domain `com.microsoft` operators are described in
 * ONNX Runtime's ContribOperators.md, the others in the ONNX operator reference.
 */

const int = (value: number): Attribute => ({ type: 'int', value });
const float = (value: number): Attribute => ({ type: 'float', value });
const ints = (value: readonly number[]): Attribute => ({ type: 'ints', value });
const string = (value: string): Attribute => ({ type: 'string', value });

const dimAt = ({ name, dims }: Value, axis: number): Dim =>
  defined(dims.at(axis), `dimension ${axis} of ${name}`);
const lastDim = (value: Value): Dim => dimAt(value, -1);
const replaceLast = (dims: readonly Dim[], last: Dim): Dim[] => [...dims.slice(0, -1), last];

/** Elementwise operator on two values; the result has the shape of the first (the second broadcasts). */
export function binary(
  g: GraphBuilder,
  op: 'Add' | 'Sub' | 'Mul' | 'Div' | 'Max' | 'Min' | 'Pow',
  name: string,
  a: Value,
  b: Value,
): Value {
  return g.call(op, [a, b], { ...a, name });
}

/** Elementwise operator on one value. */
export function unary(
  g: GraphBuilder,
  op: 'Abs' | 'Neg' | 'Sqrt' | 'Log' | 'Round' | 'Floor' | 'Identity' | 'Relu',
  name: string,
  x: Value,
): Value {
  return g.call(op, [x], { ...x, name });
}

/** Clip (ONNX 13) to two scalars. */
export function clip(g: GraphBuilder, name: string, x: Value, low: Value, high: Value): Value {
  return g.call('Clip', [x, low, high], { ...x, name });
}

/** Conversion to another element type. */
export function cast(g: GraphBuilder, name: string, x: Value, to: DType, code: number): Value {
  return g.call('Cast', [x], { name, dtype: to, dims: x.dims }, { attributes: { to: int(code) } });
}

/**
 * Reshape (ONNX 14): no copy in ONNX Runtime.
 *
 * @param dims - the new shape; the dimension that depends on the batch, if any, is written as -1
 */
export function reshape(g: GraphBuilder, name: string, x: Value, dims: readonly Dim[]): Value {
  const shape = dims.map((dim) => (typeof dim === 'number' ? dim : -1));
  return g.call('Reshape', [x, g.indices(shape)], {
    name,
    dtype: x.dtype,
    dims,
  });
}

/** Transpose by a permutation. */
export function transpose(g: GraphBuilder, name: string, x: Value, order: readonly number[]): Value {
  const dims = order.map((axis) => dimAt(x, axis));
  return g.call('Transpose', [x], { name, dtype: x.dtype, dims }, { attributes: { perm: ints(order) } });
}

/** Concatenation along an axis whose sizes are fixed. */
export function concat(g: GraphBuilder, name: string, parts: readonly Value[], axis: number): Value {
  const first = defined(parts[0], `the first part of ${name}`);
  const total = parts.reduce((sum, part) => {
    const size = dimAt(part, axis);
    if (typeof size !== 'number') throw new RangeError(`${name}: concatenation along the batch`);
    return sum + size;
  }, 0);
  const dims = first.dims.map((dim, index) => (index === axis ? total : dim));
  return g.call('Concat', parts, { name, dtype: first.dtype, dims }, { attributes: { axis: int(axis) } });
}

/** Gather of rows: `index` picks along `axis`; a scalar index removes the axis. */
export function gather(g: GraphBuilder, name: string, x: Value, index: Value, axis: number): Value {
  const dims = [...x.dims.slice(0, axis), ...index.dims, ...x.dims.slice(axis + 1)];
  return g.call('Gather', [x, index], { name, dtype: x.dtype, dims }, { attributes: { axis: int(axis) } });
}

/** MatMul (ONNX 13) of `[…, K]` by `[K, N]` or of two matrices. */
export function matMul(g: GraphBuilder, name: string, a: Value, b: Value): Value {
  return g.call('MatMul', [a, b], { name, dtype: a.dtype, dims: replaceLast(a.dims, lastDim(b)) });
}

/** Gemm (ONNX 13): `[M, K] · [K, N] + [N]`, either factor optionally transposed. */
export function gemm(
  g: GraphBuilder,
  name: string,
  a: Value,
  b: Value,
  bias?: Value,
  transposed: { readonly a?: boolean; readonly b?: boolean } = {},
): Value {
  const rows = dimAt(a, transposed.a ? 1 : 0);
  const columns = dimAt(b, transposed.b ? 0 : 1);
  const attributes = { transA: int(transposed.a ? 1 : 0), transB: int(transposed.b ? 1 : 0) };
  return g.call('Gemm', [a, b, bias], { name, dtype: a.dtype, dims: [rows, columns] }, { attributes });
}

/** LayerNormalization (ONNX 17) over the last axis; its statistics are float32 for every input type. */
export function layerNormalization(
  g: GraphBuilder,
  name: string,
  x: Value,
  scale: Value,
  shift: Value,
  epsilon: number,
): Value {
  return g.call(
    'LayerNormalization',
    [x, scale, shift],
    { ...x, name },
    { attributes: { axis: int(-1), epsilon: float(epsilon), stash_type: int(1) } },
  );
}

/**
 * Attention (ONNX 23) of whole sequences, without cache: `softmax(q·kᵀ / √d + bias)·v` for each head.
 *
 * @param q - `[batch, asking, heads · d]`
 * @param k - `[batch, tokens, heads · d]`; `v` likewise, with a d of its own, which is that of the result
 * @param bias - `[batch or 1, heads or 1, asking, tokens]`; undefined adds nothing
 */
export function attention(
  g: GraphBuilder,
  name: string,
  q: Value,
  k: Value,
  v: Value,
  heads: number,
  bias?: Value,
): Value {
  const attributes = { q_num_heads: int(heads), kv_num_heads: int(heads) };
  const inputs = bias ? [q, k, v, bias] : [q, k, v];
  return g.call(
    'Attention',
    inputs,
    { name, dtype: q.dtype, dims: replaceLast(q.dims, lastDim(v)) },
    { attributes },
  );
}

/** Softmax (ONNX 13) over the last axis. */
export function softmax(g: GraphBuilder, name: string, x: Value): Value {
  return g.call('Softmax', [x], { ...x, name }, { attributes: { axis: int(-1) } });
}

/** Gelu (ONNX 20), exact by the error function, or by the tanh approximation. */
export function gelu(g: GraphBuilder, name: string, x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
  return g.call('Gelu', [x], { ...x, name }, { attributes: { approximate: string(approximate) } });
}

/** FastGelu (com.microsoft): GELU by the tanh approximation. */
export function fastGelu(g: GraphBuilder, name: string, x: Value): Value {
  return g.call('FastGelu', [x], { ...x, name }, { domain: 'com.microsoft' });
}

/** QuickGelu (com.microsoft): x · σ(alpha · x). */
export function quickGelu(g: GraphBuilder, name: string, x: Value, alpha: number): Value {
  const options = { domain: 'com.microsoft', attributes: { alpha: float(alpha) } } as const;
  return g.call('QuickGelu', [x], { ...x, name }, options);
}

/** Both halves of the columns of a matrix (Split, ONNX 18), called `name:first` and `name:second`. */
export function halves(g: GraphBuilder, name: string, x: Value): readonly [Value, Value] {
  const width = lastDim(x);
  if (typeof width !== 'number' || width % 2 !== 0)
    throw new RangeError(`${name}: a matrix whose columns have no halves`);
  const half = { dtype: x.dtype, dims: replaceLast(x.dims, width / 2) };
  const [first, second] = g.callMany(
    'Split',
    [x],
    [
      { ...half, name: `${name}:first` },
      { ...half, name: `${name}:second` },
    ] as const,
    { attributes: { axis: int(x.dims.length - 1), num_outputs: int(2) } },
  );
  return [first, second];
}

/**
 * QuantizeLinear (ONNX 19); the result has the zero point's type.
 *
 * @param scale - a scalar, or one for each place along the axis
 * @param zeroPoint - of the scale's shape
 * @param axis - undefined for a scalar
 */
export function quantizeLinear(
  g: GraphBuilder,
  name: string,
  x: Value,
  scale: Value,
  zeroPoint: Value,
  axis?: number,
): Value {
  return g.call(
    'QuantizeLinear',
    [x, scale, zeroPoint],
    { name, dtype: zeroPoint.dtype, dims: x.dims },
    axis === undefined ? {} : { attributes: { axis: int(axis) } },
  );
}

/**
 * DequantizeLinear (ONNX 19).
 *
 * @param scale - a scalar, or one for each column
 * @param zeroPoint - of the scale's shape; undefined is zero
 */
export function dequantizeLinear(
  g: GraphBuilder,
  name: string,
  x: Value,
  scale: Value,
  zeroPoint?: Value,
): Value {
  const inputs = zeroPoint ? [x, scale, zeroPoint] : [x, scale];
  const attributes = { axis: int(x.dims.length - 1) };
  return g.call('DequantizeLinear', inputs, { name, dtype: 'float32', dims: x.dims }, { attributes });
}

/**
 * DynamicQuantizeMatMul (com.microsoft): quantises its float input to uint8 by the range it has, then an integer product.
 *
 * @param b - int8 `[K, N]`, symmetric (no zero point)
 * @param scale - of `b`, `[N]`
 */
export function dynamicQuantizeMatMul(
  g: GraphBuilder,
  name: string,
  a: Value,
  b: Value,
  scale: Value,
  bias: Value,
): Value {
  const dims = replaceLast(a.dims, lastDim(b));
  return g.call(
    'DynamicQuantizeMatMul',
    [a, b, scale, undefined, bias],
    { name, dtype: 'float32', dims },
    { domain: 'com.microsoft' },
  );
}

/**
 * MatMulIntegerToFloat (com.microsoft): an integer product that is scaled to float32, with bias, as it is written.
 *
 * @param a - uint8 `[…, K]`
 * @param b - int8 `[K, N]`, symmetric (no zero point)
 * @param scales - of `a` (scalar) and `b` (`[N]`)
 */
export function matMulIntegerToFloat(
  g: GraphBuilder,
  name: string,
  a: Value,
  b: Value,
  scales: { readonly a: Value; readonly b: Value },
  zeroPointA: Value,
  bias: Value,
): Value {
  return g.call(
    'MatMulIntegerToFloat',
    [a, b, scales.a, scales.b, zeroPointA, undefined, bias],
    { name, dtype: 'float32', dims: replaceLast(a.dims, lastDim(b)) },
    { domain: 'com.microsoft' },
  );
}

/**
 * MatMulNBits (com.microsoft): weight-only quantised product; the activations are quantised to int8 per row and
 * block while it runs (accuracy level 4).
 *
 * @param b - uint8 `[N, K / blockSize, blockSize · bits / 8]`
 * @param scales - float32 `[N, K / blockSize]`
 */
export function matMulNBits(
  g: GraphBuilder,
  name: string,
  a: Value,
  b: Value,
  scales: Value,
  bias: Value,
  sizes: { readonly k: number; readonly n: number; readonly bits: number; readonly blockSize: number },
): Value {
  return g.call(
    'MatMulNBits',
    [a, b, scales, undefined, undefined, bias],
    { name, dtype: a.dtype, dims: replaceLast(a.dims, sizes.n) },
    {
      domain: 'com.microsoft',
      attributes: {
        K: int(sizes.k),
        N: int(sizes.n),
        bits: int(sizes.bits),
        block_size: int(sizes.blockSize),
        accuracy_level: int(4),
      },
    },
  );
}

/**
 * Reduction over some axes (ONNX 18: the axes are an input).
 *
 * @param axes - the axes to remove; undefined reduces to a scalar
 */
export function reduce(
  g: GraphBuilder,
  op: 'ReduceMin' | 'ReduceMax' | 'ReduceSum' | 'ReduceSumSquare' | 'ReduceMean',
  name: string,
  x: Value,
  axes?: readonly number[],
): Value {
  const dims = axes ? x.dims.filter((_, axis) => !axes.includes(axis)) : [];
  const inputs = axes ? [x, g.indices(axes)] : [x];
  return g.call(op, inputs, { name, dtype: x.dtype, dims }, { attributes: { keepdims: int(0) } });
}

/** Flattens all but the last dimension: `[B, S, D]` becomes `[B·S, D]`, without a copy. */
export function asMatrix(g: GraphBuilder, name: string, x: Value): Value {
  return reshape(g, name, x, [productOf(x.dims.slice(0, -1)), lastDim(x)]);
}

/**
 * Pad (ONNX 21) with zeros: so many before and after each axis. The sizes of padded axes must be fixed.
 *
 * @param widths - `[before, after]` for each axis
 */
export function pad(
  g: GraphBuilder,
  name: string,
  x: Value,
  widths: readonly (readonly [number, number])[],
): Value {
  const dims = x.dims.map((dim, axis) => {
    const [before, after] = defined(widths[axis], `the width of axis ${axis} of ${name}`);
    if (before + after === 0) return dim;
    if (typeof dim !== 'number')
      throw new RangeError(`${name}: padding of an axis that depends on the batch`);
    return before + dim + after;
  });
  const pads = [...widths.map(([before]) => before), ...widths.map(([, after]) => after)];
  return g.call('Pad', [x, g.indices(pads)], { name, dtype: x.dtype, dims });
}

/**
 * MultiHeadAttention (com.microsoft) of whole sequences, without mask or cache: `softmax(q·kᵀ / √d + bias)·v` for each head.
 *
 * @param q - `[batch, asking, heads · d]`
 * @param k - `[batch, tokens, heads · d]`; `v` likewise, with a d of its own, which is that of the result
 * @param bias - `[batch or 1, heads or 1, asking, tokens]`; undefined adds nothing
 */
export function multiHeadAttention(
  g: GraphBuilder,
  name: string,
  q: Value,
  k: Value,
  v: Value,
  heads: number,
  bias?: Value,
): Value {
  const inputs = bias ? [q, k, v, undefined, undefined, bias] : [q, k, v];
  const options = { domain: 'com.microsoft', attributes: { num_heads: int(heads) } } as const;
  return g.call(
    'MultiHeadAttention',
    inputs,
    { name, dtype: q.dtype, dims: replaceLast(q.dims, lastDim(v)) },
    options,
  );
}

/**
 * SkipLayerNormalization (com.microsoft): `sum = x + skip` and its LayerNorm in one kernel.
 *
 * @returns the norm, called `name`, and the sum, called `sumName`
 */
export function skipLayerNormalization(
  g: GraphBuilder,
  name: string,
  sumName: string,
  x: Value,
  skip: Value,
  scale: Value,
  shift: Value,
  epsilon: number,
): { readonly norm: Value; readonly sum: Value } {
  const [norm, , , sum] = g.callMany(
    'SkipLayerNormalization',
    [x, skip, scale, shift],
    [{ ...x, name }, undefined, undefined, { ...x, name: sumName }] as const,
    { domain: 'com.microsoft', attributes: { epsilon: float(epsilon) } },
  );
  return { norm, sum };
}
