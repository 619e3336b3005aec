import type { GraphBuilder, Value } from './builder.js';
import type { Dim } from './dims.js';
import { dtypeCode } from './dtype.js';
import type { Attribute } from './model.js';
import { cast } from './ops.js';
import { tensorOf } from './tensor.js';

/**
 * Operators that order, pick and compare, one function each, as those of `ops.ts`.
 */

const int = (value: number): Attribute => ({ type: 'int', value });

/** What TopK gives. */
export interface Ordered {
  /** The elements. */
  readonly values: Value;
  /** Where they were, int64. */
  readonly indices: Value;
}

/** How TopK is called. */
export interface TopKOptions {
  /** The largest elements, or the smallest. */
  readonly largest: boolean;
  /** In order, equal ones by their index; or as they come. */
  readonly sorted: boolean;
}

/** TopK (ONNX 11) of `k` elements along an axis. */
export function topK(
  g: GraphBuilder,
  name: string,
  x: Value,
  k: number,
  axis: number,
  { largest, sorted }: TopKOptions,
): Ordered {
  const dims = x.dims.map((dim, index) => (index === axis ? k : dim));
  const [values, indices] = g.callMany(
    'TopK',
    [x, g.indices([k])],
    [
      { name, dtype: x.dtype, dims },
      { name: `${name}:indices`, dtype: 'int64', dims },
    ] as const,
    {
      attributes: {
        axis: int(axis),
        largest: int(largest ? 1 : 0),
        sorted: int(sorted ? 1 : 0),
      },
    },
  );
  return { values, indices };
}

/**
 * Slice (ONNX 13) along an axis of fixed size.
 *
 * @param from - first index
 * @param to - behind the last index
 * @param step - 1 takes all, 2 every second
 */
export function slice(
  g: GraphBuilder,
  name: string,
  x: Value,
  axis: number,
  from: number,
  to: number,
  step = 1,
): Value {
  const dims = x.dims.map((dim, index): Dim => (index === axis ? Math.ceil((to - from) / step) : dim));
  const inputs = [[from], [to], [axis], [step]].map((indices) => g.indices(indices));
  return g.call('Slice', [x, ...inputs], { name, dtype: x.dtype, dims });
}

/**
 * GatherND (ONNX 13) of rows within each image.
 *
 * @param x - `[batch, rows, …]`
 * @param indices - int64 `[batch, picked, 1]`
 * @returns `[batch, picked, …]`
 */
export function gatherRows(g: GraphBuilder, name: string, x: Value, indices: Value): Value {
  const dims = [...indices.dims.slice(0, 2), ...x.dims.slice(2)];
  const attributes = { batch_dims: int(1) };
  return g.call('GatherND', [x, indices], { name, dtype: x.dtype, dims }, { attributes });
}

/** GatherElements (ONNX 13): an element of `x` for each index, along an axis. */
export function gatherElements(g: GraphBuilder, name: string, x: Value, indices: Value, axis: number): Value {
  const attributes = { axis: int(axis) };
  return g.call('GatherElements', [x, indices], { name, dtype: x.dtype, dims: indices.dims }, { attributes });
}

/** Equal, Greater or Less (ONNX 13) of operands that broadcast to `dims`: ones where it holds and zeros elsewhere, float32. */
export function compared(
  g: GraphBuilder,
  op: 'Equal' | 'Greater' | 'Less',
  name: string,
  a: Value,
  b: Value,
  dims: readonly Dim[],
): Value {
  const truth = g.call(op, [a, b], { name: `${name}:truth`, dtype: 'bool', dims });
  return cast(g, name, truth, 'float32', dtypeCode('float32'));
}

/** A constant of int64 numbers. */
export function int64Constant(
  g: GraphBuilder,
  name: string,
  dims: readonly number[],
  values: readonly number[],
): Value {
  return g.constant(name, tensorOf('int64', dims, BigInt64Array.from(values, BigInt)));
}
