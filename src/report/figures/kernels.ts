import type { StoredCell } from '../../store/read.js';

/** A kernel's share of a query. */
export interface KernelShare {
  readonly opType: string;
  /** Execution provider it ran on. */
  readonly provider: string;
  /** How often in one query. */
  readonly calls: number;
  /** In one query, while the profiler watched. */
  readonly milliseconds: number;
  /** Of the time of all kernels. */
  readonly share: number;
}

/**
 * The kernels that really ran, the most expensive first.
 *
 * @param cell - a done cell of kernels
 */
export function kernelsOf(cell: StoredCell): KernelShare[] {
  const kernels = cell.rounds.flatMap((round) => round.kernels);
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return kernels
    .map((kernel) => ({ ...kernel, share: total > 0 ? kernel.milliseconds / total : 0 }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
