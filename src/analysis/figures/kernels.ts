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
  /** In one query on the GPU, by its own clock; undefined where there is none. */
  readonly gpuMilliseconds?: number | undefined;
  /** Of the time of all kernels; on a GPU, of its own time. */
  readonly share: number;
}

/**
 * The kernels that really ran, the most expensive first.
 *
 * @param cell - a done cell of kernels
 */
export function kernelsOf(cell: StoredCell): KernelShare[] {
  const kernels = cell.rounds.flatMap((round) => round.kernels);
  const timeOf = (kernel: Pick<KernelShare, 'milliseconds' | 'gpuMilliseconds'>): number =>
    kernel.gpuMilliseconds ?? kernel.milliseconds;
  const total = kernels.reduce((sum, kernel) => sum + timeOf(kernel), 0);
  return kernels
    .map((kernel) => ({ ...kernel, share: total > 0 ? timeOf(kernel) / total : 0 }))
    .sort((a, b) => timeOf(b) - timeOf(a));
}
