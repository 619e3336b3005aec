import type { SymbolicDim } from './model.js';

/** A dimension of a graph with a dynamic batch: fixed, or a multiple of the batch size. */
export type Dim = number | { readonly perBatch: number };

/** The batch dimension itself. */
export const batch: Dim = { perBatch: 1 };

/** The dimension as ONNX names it: `8`, `batch`, `197*batch`. */
export function symbolOf(dim: Dim): SymbolicDim {
  if (typeof dim === 'number') return dim;
  return dim.perBatch === 1 ? 'batch' : `${dim.perBatch}*batch`;
}

/**
 * The size of a dimension that `symbolOf` named.
 *
 * @param dim - a number or a symbol
 * @param batchSize - the batch size to assume
 * @returns the size; undefined for a symbol that is no multiple of the batch
 */
export function sizeAt(dim: SymbolicDim, batchSize: number): number | undefined {
  if (typeof dim === 'number') return dim;
  const match = /^(?:(\d+)\*)?batch$/.exec(dim);
  return match ? Number(match[1] ?? 1) * batchSize : undefined;
}

/** Product of dimensions, at most one of which may depend on the batch. */
export function productOf(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>((product, dim) => {
    if (typeof product === 'number')
      return typeof dim === 'number' ? product * dim : { perBatch: product * dim.perBatch };
    if (typeof dim !== 'number') throw new RangeError('a product of two batch dimensions');
    return { perBatch: product.perBatch * dim };
  }, 1);
}
