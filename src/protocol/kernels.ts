import { median } from 'simple-statistics';
import type { NodeTime } from './events.js';

/** One operator's share of a query. */
export interface KernelTime {
  readonly opType: string;
  /** Execution provider it ran on. */
  readonly provider: string;
  /** How often in one query. */
  readonly calls: number;
  /** In one query, on the processor. */
  readonly milliseconds: number;
  /** In one query, on the GPU by its own clock. */
  readonly gpuMilliseconds?: number;
}

/** What a node takes in a query: the median over the queries, so that one that was disturbed does not count. */
function typicalTime(milliseconds: readonly number[]): number {
  return median([...milliseconds]);
}

/**
 * Sums nodes up by operator and provider.
 *
 * @param nodes - of one model
 * @returns for one query, the longest first
 */
export function kernelTimes(nodes: readonly NodeTime[]): KernelTime[] {
  const sums = new Map<string, KernelTime>();
  for (const { opType, provider, calls, milliseconds, gpuMilliseconds: gpu } of nodes) {
    const key = `${opType} ${provider}`;
    const known = sums.get(key) ?? { opType, provider, calls: 0, milliseconds: 0 };
    sums.set(key, {
      ...known,
      calls: known.calls + calls,
      milliseconds: known.milliseconds + typicalTime(milliseconds),
      ...(gpu === undefined ? {} : { gpuMilliseconds: (known.gpuMilliseconds ?? 0) + typicalTime(gpu) }),
    });
  }
  return [...sums.values()].sort((a, b) => timeOf(b) - timeOf(a));
}

/** What a kernel takes: the GPU's time where it is known. */
function timeOf({ milliseconds, gpuMilliseconds }: KernelTime): number {
  return gpuMilliseconds ?? milliseconds;
}
