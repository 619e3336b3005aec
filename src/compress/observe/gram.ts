import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { gemm, reduce } from '../../onnx/ops.js';
import type { BlockValues } from '../../vit/graph/block.js';
import type { LinearRole } from '../../vit/linears.js';
import { numbers, type Tap } from './taps.js';

/** First and second moments of a linear's input over all calibration rows, in float64. */
export interface Moments {
  /** Token rows that were seen. */
  readonly rows: number;
  /** E[x], `[n]`. */
  readonly mean: Float64Array;
  /** E[x·xᵀ], `[n, n]`, symmetric. */
  readonly second: Float64Array;
}

/**
 * Observes the Gram matrix of a linear's input. Each batch's product is a float32 Gemm; the batches are added in float64.
 *
 * @param role - which linear of the block
 * @param rows - token rows there will be in all
 */
export function gramTap(role: LinearRole, rows: number): Tap<Moments> {
  const name = (what: string): string => `tap:${role}:gram:${what}`;
  let gram: Float64Array | undefined;
  let sum: Float64Array | undefined;
  return {
    emit(g: GraphBuilder, values: BlockValues): Value[] {
      const x = values[role];
      return [gemm(g, name('xx'), x, x, undefined, { a: true }), reduce(g, 'ReduceSum', name('x'), x, [0])];
    },
    add(outputs) {
      const [xx, x] = [numbers(outputs, name('xx')), numbers(outputs, name('x'))];
      gram ??= new Float64Array(xx.length);
      sum ??= new Float64Array(x.length);
      for (let i = 0; i < xx.length; i++) gram[i]! += xx[i]!;
      for (let i = 0; i < x.length; i++) sum[i]! += x[i]!;
    },
    result() {
      if (gram === undefined || sum === undefined) throw new Error(`nothing was observed at ${role}`);
      return { rows, mean: sum.map((value) => value / rows), second: gram.map((value) => value / rows) };
    },
  };
}
