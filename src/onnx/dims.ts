import type { SymbolicDim } from './model.js';

/** A dimension of a graph: fixed, a multiple of the batch size, or free under a name. */
export type Dim = number | { readonly perBatch: number } | { readonly free: string };

/** The batch dimension itself. */
export const batch: Dim = { perBatch: 1 };

/** The dimension as ONNX names it: `8`, `batch`, `197*batch`. */
export function symbolOf(dim: Dim): SymbolicDim {
  if (typeof dim === 'number') return dim;
  if ('free' in dim) return dim.free;
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

/** The size of a dimension that is a number; undefined where it is left open. */
export function fixedSize(dim: SymbolicDim | undefined): number | undefined {
  return typeof dim === 'number' ? dim : undefined;
}

/**
 * Product of dimensions.
 *
 * @throws RangeError when more than one depends on the batch, or one is free
 */
export function productOf(dims: readonly Dim[]): Dim {
  let fixed = 1;
  let perBatch: number | undefined;
  for (const dim of dims) {
    if (typeof dim === 'number') fixed *= dim;
    else if ('perBatch' in dim && perBatch === undefined) perBatch = dim.perBatch;
    else throw new RangeError(`no product of the dimensions ${dims.map(symbolOf).join(', ')}`);
  }
  return perBatch === undefined ? fixed : { perBatch: perBatch * fixed };
}
