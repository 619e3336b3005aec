import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { slice } from '../../onnx/index-ops.js';
import { binary, gemm, reduce, unary } from '../../onnx/ops.js';
import { float32 } from '../../onnx/tensor.js';
import { numbers, type Tap } from './taps.js';

/** First and second moments of a linear's input over all calibration rows, in float64. */
export interface Moments {
  /** Token rows that were seen. */
  readonly rows: number;
  /** E[x], `[n]`. */
  readonly mean: Float64Array;
  /** E[(x − E[x])·(x − E[x])ᵀ], `[n, n]`, symmetric. */
  readonly covariance: Float64Array;
}

/**
 * Observes mean and covariance of a linear's input. Each batch is centred before its Gram matrix is made by a float32 Gemm,
 * so that a channel whose mean is large for its spread loses nothing; what rounding left of the mean is taken off and the
 * batches are joined in float64 (Chan, Golub & LeVeque, "Algorithms for Computing the Sample Variance", The American
 * Statistician, 1983: the corrected two-pass algorithm and the pairwise update). Of a wide matrix only the blocks on and
 * below the diagonal are made.
 *
 * @param role - which linear of the block, or what else is called by its name
 * @param rowsPerBatch - token rows of a batch
 * @param weights - how much each row of a batch counts, one on average; all alike unless given
 */
export function momentsTap<Role extends string>(
  role: Role,
  rowsPerBatch: number,
  weights?: Float32Array,
): Tap<Moments, Role> {
  const name = (what: string): string => `tap:${role}:moments:${what}`;
  let rows = 0;
  let mean: Float64Array | undefined;
  let scatter: Float64Array | undefined;
  return {
    emit(g: GraphBuilder, values: Readonly<Record<Role, Value>>): Value[] {
      const counts = weights && g.constant(name('weights'), float32([rowsPerBatch, 1], weights));
      const meanOf = (what: string, x: Value): Value =>
        reduce(
          g,
          'ReduceMean',
          name(what),
          counts ? binary(g, 'Mul', name(`${what}:weighted`), x, counts) : x,
          [0],
        );
      const centre = meanOf('mean', values[role]);
      const centred = binary(g, 'Sub', name('centred'), values[role], centre);
      const rest = meanOf('rest', centred);
      // Rows times the roots of their weights have the weighted products.
      const rows = counts
        ? binary(g, 'Mul', name('rooted'), centred, unary(g, 'Sqrt', name('roots'), counts))
        : centred;
      const n = centred.dims[1] as number;
      const parts = blocksOf(n).map(([from, to]) =>
        from === 0 && to === n ? rows : slice(g, name(`columns:${from}`), rows, 1, from, to),
      );
      const products = blockPairs(n).map(([i, j]) =>
        gemm(g, name(`scatter:${i}:${j}`), parts[i]!, parts[j]!, undefined, { a: true }),
      );
      return [centre, rest, ...products];
    },
    add(outputs) {
      const rest = numbers(outputs, name('rest'));
      const centre = Float64Array.from(numbers(outputs, name('mean')), (rounded, i) => rounded + rest[i]!);
      const n = centre.length;
      mean ??= new Float64Array(n);
      scatter ??= new Float64Array(n * n);
      const apart = Float64Array.from(mean, (known, i) => centre[i]! - known);
      const weight = (rows * rowsPerBatch) / (rows + rowsPerBatch);
      const blocks = blocksOf(n);
      for (const [block, other] of blockPairs(n)) {
        const own = numbers(outputs, name(`scatter:${block}:${other}`));
        const change = { rest, rows: rowsPerBatch, apart, weight };
        addBlock(scatter, n, own, blocks[block]!, blocks[other]!, change);
      }
      rows += rowsPerBatch;
      for (let i = 0; i < n; i++) mean[i]! += (apart[i]! * rowsPerBatch) / rows;
    },
    result() {
      if (mean === undefined || scatter === undefined) throw new Error(`nothing was observed at ${role}`);
      const n = mean.length;
      const covariance = scatter.map((value) => value / rows);
      for (const [from, to] of blocksOf(n))
        for (let i = from; i < to; i++)
          for (let j = to; j < n; j++) covariance[i * n + j] = covariance[j * n + i]!;
      return { rows, mean, covariance };
    },
  };
}

/** Columns of a block of the Gram matrix: many enough for a fast product, few enough that hardly more than half of it is made. */
const BLOCK = 384;

/** What joins a batch to those before it. */
interface Change {
  /** What rounding left of the batch's mean, `[n]`. */
  readonly rest: Float32Array;
  /** Of the batch. */
  readonly rows: number;
  /** How far the batch's mean lies from that of those before, `[n]`. */
  readonly apart: Float64Array;
  /** How much that counts. */
  readonly weight: number;
}

/**
 * Adds a block of a batch's Gram matrix: scatter + own − rows · rest · restᵀ + weight · apart · apartᵀ. A function of its own, since
 * numbers that a closure may change are not kept in registers: this runs as often as a batch has products.
 */
function addBlock(
  scatter: Float64Array,
  n: number,
  own: Float32Array,
  [top, bottom]: readonly [number, number],
  [left, right]: readonly [number, number],
  { rest, rows, apart, weight }: Change,
): void {
  let at = 0;
  for (let i = top; i < bottom; i++) {
    const [taken, factor, row] = [rows * rest[i]!, weight * apart[i]!, i * n];
    for (let j = left; j < right; j++)
      scatter[row + j]! += own[at++]! - taken * rest[j]! + factor * apart[j]!;
  }
}

/** Where the blocks of n columns begin and end. */
function blocksOf(n: number): [number, number][] {
  return Array.from({ length: Math.ceil(n / BLOCK) }, (_, i) => [i * BLOCK, Math.min((i + 1) * BLOCK, n)]);
}

/** The blocks on and below the diagonal, as row and column: those above mirror them. */
function blockPairs(n: number): [number, number][] {
  return blocksOf(n).flatMap((_, i) => Array.from({ length: i + 1 }, (_, j): [number, number] => [i, j]));
}
