import { defined } from '../base/defined.js';
import { sizeAt } from './dims.js';
import { bytesPerElement, type DType } from './dtype.js';
import type { OnnxModel, OnnxNode } from './model.js';

/** What a node costs at a batch size, by the shapes of its graph alone. */
export interface NodeCost {
  /** Its matrix products; undefined for a node without. */
  readonly product: ProductCost | undefined;
  /**
   * Bytes of what it reads and writes, each value once: what must move between memory and processor when nothing of it is
   * in a cache and nothing is moved twice. Scratch space does not count.
   */
  readonly bytes: number;
}

/** The matrix products of a node. */
export interface ProductCost {
  /** Type of the left factor. */
  readonly dtype: DType;
  /** Rows, inner width and columns of one of them. */
  readonly shape: { readonly rows: number; readonly inner: number; readonly columns: number };
  /** Scalar multiplications of all of them. */
  readonly multiplications: number;
}

/** A value with its sizes at a batch size. */
interface Sized {
  readonly dtype: DType;
  readonly dims: readonly number[];
}

/** Operators that only give a value another shape, or read no more of it than that. */
const FREE = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten', 'Shape']);

/** Operators that read no more of their first input than they write. */
const PICKING = new Set(['Gather', 'GatherElements', 'GatherND', 'Slice', 'Expand']);

/**
 * What each node of a model costs: multiplications of its matrix products, and bytes.
 *
 * @param model - its intermediate values with type and shape, as the builder writes them
 * @param batch - batch size
 * @returns by the node's name; nodes with a value whose size is not known are left out
 */
export function nodeCosts(model: OnnxModel, batch: number): Map<string, NodeCost> {
  const values = sizedValues(model, batch);
  const costs = new Map<string, NodeCost>();
  for (const node of model.nodes) {
    const [inputs, outputs] = [node.inputs, node.outputs].map((names) =>
      names.filter((name) => name !== '').map((name) => values.get(name)),
    ) as [(Sized | undefined)[], (Sized | undefined)[]];
    if ([...inputs, ...outputs].some((value) => value === undefined)) continue;
    costs.set(node.name, {
      product: productOf(node, values),
      bytes: bytesOf(node, values),
    });
  }
  return costs;
}

function sizedValues(model: OnnxModel, batch: number): Map<string, Sized> {
  const values = new Map<string, Sized>(model.initializers);
  for (const { name, dtype, dims } of [...model.inputs, ...model.values, ...model.outputs]) {
    const sizes = dims.map((dim) => sizeAt(dim, batch));
    if (sizes.every((size) => size !== undefined)) values.set(name, { dtype, dims: sizes });
  }
  // A product takes the integers of a DequantizeLinear as they are: the runtime fuses the two.
  for (const { opType, inputs, outputs } of model.nodes) {
    const [[input = ''], [output]] = [inputs, outputs];
    const integers = values.get(input);
    if (opType === 'DequantizeLinear' && integers !== undefined && output !== undefined)
      values.set(output, integers);
  }
  return values;
}

function productOf(node: OnnxNode, values: ReadonlyMap<string, Sized>): ProductCost | undefined {
  const sized = (name = ''): Sized => defined(values.get(name), `the shape of an operand of ${node.name}`);
  const [left, right] = node.inputs;
  const attribute = (name: string): number => {
    const found = node.attributes[name];
    return found?.type === 'int' ? found.value : 0;
  };
  switch (node.opType) {
    case 'Gemm': {
      const [a, b] = [sized(left), sized(right)];
      const [rows, inner] = turned(a, attribute('transA') === 1);
      const [, columns] = turned(b, attribute('transB') === 1);
      return product(a.dtype, rows, inner, columns, 1);
    }
    case 'MatMul':
    case 'MatMulIntegerToFloat':
    case 'DynamicQuantizeMatMul': {
      const [a, b] = [sized(left), sized(right)];
      const out = sized(node.outputs[0]).dims;
      const [rows = 1, columns = 1] = out.slice(-2);
      // Rows of a product with one matrix for all are rows of one product.
      const several = b.dims.length > 2;
      const outer = count(out.slice(0, -2));
      return product(
        ...([a.dtype, several ? rows : rows * outer, sizeOf(a, -1)] as const),
        ...([columns, several ? outer : 1] as const),
      );
    }
    case 'MatMulNBits': {
      const a = sized(left);
      return product(a.dtype, count(a.dims.slice(0, -1)), attribute('K'), attribute('N'), 1);
    }
    case 'Attention':
    case 'MultiHeadAttention': {
      // q·kᵀ, and the scores times v, whose heads may have another width: for each head of each image.
      const [q, k, v] = [sized(left), sized(right), sized(node.inputs[2])];
      const [images, rows, width] = [sizeOf(q, 0), sizeOf(q, 1), sizeOf(q, 2)];
      const heads = attribute('q_num_heads') || attribute('num_heads');
      const tokens = sizeOf(k, 1);
      const scores = product(q.dtype, rows, width / heads, tokens, images * heads);
      return { ...scores, multiplications: scores.multiplications + images * rows * tokens * sizeOf(v, 2) };
    }
    default:
      return undefined;
  }
}

function product(dtype: DType, rows: number, inner: number, columns: number, times: number): ProductCost {
  return { dtype, shape: { rows, inner, columns }, multiplications: rows * inner * columns * times };
}

function sizeOf({ dims }: Sized, axis: number): number {
  return defined(dims.at(axis), `dimension ${axis} of an operand`);
}

function turned(matrix: Sized, transposed: boolean): [number, number] {
  const [rows, columns] = [sizeOf(matrix, 0), sizeOf(matrix, 1)];
  return transposed ? [columns, rows] : [rows, columns];
}

function bytesOf(node: OnnxNode, values: ReadonlyMap<string, Sized>): number {
  if (FREE.has(node.opType)) return 0;
  const bytes = (name: string): number => {
    const { dtype, dims } = defined(values.get(name), `the shape of ${name}`);
    return count(dims) * bytesPerElement(dtype);
  };
  const named = (names: readonly string[]): string[] => [...new Set(names)].filter((name) => name !== '');
  const written = named(node.outputs).reduce((sum, name) => sum + bytes(name), 0);
  const [first, ...others] = named(node.inputs);
  const most = PICKING.has(node.opType) ? written : Infinity;
  const read = first === undefined ? 0 : Math.min(bytes(first), most);
  return others.reduce((sum, name) => sum + bytes(name), read + written);
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
