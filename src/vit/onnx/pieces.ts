import type { OnnxNode } from '../../onnx/model.js';
import type { DType } from '../../onnx/dtype.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { transposed } from '../derived.js';
import type { Evaluated } from './evaluate.js';
import {
  behindViews,
  floatOf,
  inputOf,
  intOf,
  makerOf,
  notUnderstood,
  outputOf,
  weightConstant,
  type ForeignGraph,
} from './graph.js';

/** A graph and what a run of it showed. */
export type Searched = ForeignGraph & Evaluated;

/** A linear layer: a product with a constant matrix, and a bias. */
export interface FoundLinear {
  /** The value it reads. */
  readonly input: string;
  /** The value it gives. */
  readonly output: string;
  readonly node: OnnxNode;
  /** `[outputs, inputs]`. */
  readonly weight: TensorSource;
  readonly bias: TensorSource | undefined;
}

/** A LayerNorm over the last axis. */
export interface FoundNorm {
  readonly input: string;
  readonly weight: TensorSource;
  readonly bias: TensorSource;
  readonly epsilon: number;
}

/** A product of values and fixed numbers. */
export interface Product {
  readonly factor: number;
  /** The other factors, views left out. */
  readonly values: readonly string[];
}

/**
 * Recognises `y = x · Wᵀ + b`: Gemm, or MatMul with or without an Add of a constant.
 *
 * @returns undefined when the value is made in another way
 */
export function linearAt(graph: Searched, name: string): FoundLinear | undefined {
  const output = behindViews(graph, name);
  const node = graph.producers.get(output);
  if (node?.opType === 'Gemm') {
    const [input = '', matrix = '', addend = ''] = node.inputs;
    const weight = linearConstant(graph, matrix);
    const plain =
      floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1 && intOf(node, 'transA', 0) === 0;
    if (weight?.dims.length !== 2 || !plain) return undefined;
    const bias = addend === '' ? undefined : linearConstant(graph, addend);
    const rows = intOf(node, 'transB', 0) === 1 ? weight : transposed(weight);
    return addend !== '' && bias === undefined ? undefined : { input, output, node, weight: rows, bias };
  }
  if (node?.opType === 'MatMul') {
    const weight = linearConstant(graph, inputOf(graph, node, 1));
    if (weight?.dims.length !== 2) return undefined;
    return { input: inputOf(graph, node, 0), output, node, weight: transposed(weight), bias: undefined };
  }
  if (node?.opType !== 'Add') return undefined;
  for (const [product, addend] of [node.inputs, [...node.inputs].reverse()] as [string, string][]) {
    const bias = linearConstant(graph, addend);
    if (bias?.dims.length !== 1 || graph.fixed.has(product)) continue;
    const inner = linearAt(graph, product);
    if (inner?.bias === undefined && inner) return { ...inner, output, bias };
  }
  return undefined;
}

/**
 * Recognises a LayerNorm: the operator, or what exporters write for it before opset 17.
 *
 * @returns undefined when the value is made in another way
 */
export async function normAt(graph: Searched, name: string): Promise<FoundNorm | undefined> {
  const node = makerOf(graph, name);
  if (node?.opType === 'LayerNormalization') {
    const [input = '', scale = '', shift = ''] = node.inputs;
    const [weight, bias] = [weightConstant(graph, scale), weightConstant(graph, shift)];
    const rank = shapeOf(graph, outputOf(graph, node)).length;
    if (
      ![-1, rank - 1].includes(intOf(node, 'axis', -1)) ||
      weight?.dims.length !== 1 ||
      bias?.dims.length !== 1
    )
      throw notUnderstood(
        graph,
        node,
        'a LayerNormalization over the last axis with constant scale and bias',
      );
    return { input, weight, bias, epsilon: floatOf(node, 'epsilon', 1e-5) };
  }
  const shifted = withConstantVector(graph, node, 'Add');
  const scaled = shifted && withConstantVector(graph, graph.producers.get(shifted.value), 'Mul');
  const quotient = scaled && graph.producers.get(scaled.value);
  if (!shifted || !scaled || quotient?.opType !== 'Div') return undefined;
  const [centred = '', root = ''] = quotient.inputs;
  const input = centredInput(graph, centred);
  const sum = graph.producers.get(graph.producers.get(root)?.inputs[0] ?? '');
  if (input === undefined || graph.producers.get(root)?.opType !== 'Sqrt' || sum?.opType !== 'Add')
    return undefined;
  const [epsilon, variance] =
    (await scalarAt(graph, inputOf(graph, sum, 1))) !== undefined
      ? [inputOf(graph, sum, 1), inputOf(graph, sum, 0)]
      : [inputOf(graph, sum, 0), inputOf(graph, sum, 1)];
  const mean = graph.producers.get(variance);
  const square = mean?.opType === 'ReduceMean' ? graph.producers.get(inputOf(graph, mean, 0)) : undefined;
  const squared =
    square?.opType === 'Pow' && (await scalarAt(graph, inputOf(graph, square, 1))) === 2
      ? square.inputs[0]
      : square?.opType === 'Mul' && square.inputs[0] === square.inputs[1]
        ? square.inputs[0]
        : undefined;
  const number = await scalarAt(graph, epsilon);
  if (squared === undefined || number === undefined || centredInput(graph, squared) !== input)
    return undefined;
  return { input, weight: scaled.vector, bias: shifted.vector, epsilon: number };
}

/** What is centred by `x − mean(x)`. */
function centredInput(graph: Searched, name: string): string | undefined {
  const node = makerOf(graph, name);
  if (node?.opType !== 'Sub') return undefined;
  const [input = '', mean = ''] = node.inputs;
  const reduced = graph.producers.get(mean);
  return reduced?.opType === 'ReduceMean' && reduced.inputs[0] === input ? input : undefined;
}

/** The operands of an operator of which one is a constant vector. */
export function withConstantVector(
  graph: Searched,
  node: OnnxNode | undefined,
  opType: 'Add' | 'Mul',
): { readonly value: string; readonly vector: TensorSource } | undefined {
  if (node?.opType !== opType) return undefined;
  for (const [value, constant] of [node.inputs, [...node.inputs].reverse()] as [string, string][]) {
    const vector = weightConstant(graph, constant);
    if (vector?.dims.length === 1 && !graph.fixed.has(value)) return { value, vector };
  }
  return undefined;
}

/** A value that no image has a part in: a constant, or what running the graph showed; undefined for anything else. */
export function fixedTensor(graph: Searched, name: string): TensorSource | undefined {
  return graph.constants.get(name) ?? graph.values.get(name);
}

/** A constant of floats that a linear layer has, or what is computed of constants alone, as exporters leave it that do not fold. */
function linearConstant(graph: Searched, name: string): TensorSource | undefined {
  const made = graph.values.get(name);
  return weightConstant(graph, name) ?? (made?.dtype === 'float32' ? made : undefined);
}

/** A fixed value of one number; undefined for anything else. */
export async function scalarAt(graph: Searched, name: string): Promise<number | undefined> {
  const tensor = fixedTensor(graph, name);
  if (tensor === undefined || tensor.dims.some((dim) => dim !== 1)) return undefined;
  return firstNumber(tensor.dtype, await tensor.read());
}

function firstNumber(dtype: DType, bytes: Uint8Array): number | undefined {
  switch (dtype) {
    case 'float32':
      return viewAs(bytes, Float32Array)[0];
    case 'float64':
      return viewAs(bytes, Float64Array)[0];
    case 'int64':
      return numberOf(viewAs(bytes, BigInt64Array)[0]);
    case 'int32':
      return viewAs(bytes, Int32Array)[0];
    default:
      return undefined;
  }
}

function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/**
 * The shape that a value had when the graph was run.
 *
 * @throws InputError when nothing showed it
 */
export function shapeOf(graph: Searched, name: string): readonly number[] {
  const shape = graph.shapes.get(name);
  if (shape === undefined)
    throw notUnderstood(graph, graph.producers.get(name), `${name}, whose shape depends on the image`);
  return shape;
}

/** Takes a tree of multiplications and divisions by fixed numbers apart. */
export async function productAt(graph: Searched, name: string): Promise<Product> {
  const value = behindViews(graph, name);
  const node = graph.producers.get(value);
  if (node?.opType === 'Mul' || node?.opType === 'Div') {
    const [left = '', right = ''] = node.inputs;
    const [a, b] = [await scalarAt(graph, left), await scalarAt(graph, right)];
    if (b !== undefined) {
      const inner = await productAt(graph, left);
      return { ...inner, factor: node.opType === 'Mul' ? inner.factor * b : inner.factor / b };
    }
    if (node.opType === 'Mul' && a !== undefined) {
      const inner = await productAt(graph, right);
      return { ...inner, factor: inner.factor * a };
    }
    if (node.opType === 'Mul' && !graph.fixed.has(left) && !graph.fixed.has(right)) {
      const [x, y] = [await productAt(graph, left), await productAt(graph, right)];
      return { factor: x.factor * y.factor, values: [...x.values, ...y.values] };
    }
  }
  return { factor: 1, values: [value] };
}
