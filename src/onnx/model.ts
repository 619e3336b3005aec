import type { DType } from './dtype.js';
import type { TensorSource } from './tensor.js';

/** One dimension of a value: a number, a named symbol, or `'?'` when the file does not say. */
export type SymbolicDim = number | string;

/** The type and shape of an input, an output or an intermediate value. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly SymbolicDim[];
}

/** An attribute: integer lists are `bigint`-free because every integer EdgeFlex meets fits in 53 bits. */
export type Attribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: TensorSource };

/** One operator call. An empty input name is an omitted optional input. */
export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** Empty for the standard `ai.onnx` operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An ONNX model: one graph in topological order, its constants, and what it declares about itself. */
export interface OnnxModel {
  readonly name: string;
  readonly irVersion: number;
  /** Operator set version by domain; the standard domain is the empty string. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Further outputs, whose types and shapes the runtime is to find; none unless defined. */
  readonly untypedOutputs?: readonly string[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, TensorSource>;
  /** Types and shapes of intermediate values, where known. */
  readonly values: readonly ValueInfo[];
  /** Free-form properties: what made the model, from what, with which recipe. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Files beside a model that was read which hold tensors of it, as it names them; undefined for one that was built. */
  readonly externalFiles?: readonly string[];
}
