import type { KernelTime } from '../protocol/events.js';
import type { KernelCall } from '../runtime/engine.js';

/**
 * Sums kernel calls up by operator and provider.
 *
 * @param calls - of all runs
 * @param runs - how many runs there were
 * @returns per run, the longest first
 */
export function kernelTimes(calls: readonly KernelCall[], runs: number): KernelTime[] {
  const sums = new Map<string, KernelTime>();
  for (const { opType, provider, milliseconds, gpuMilliseconds: gpu } of calls) {
    const key = `${opType} ${provider}`;
    const known = sums.get(key) ?? { opType, provider, calls: 0, milliseconds: 0 };
    sums.set(key, {
      ...known,
      calls: known.calls + 1,
      milliseconds: known.milliseconds + milliseconds,
      ...(gpu === undefined ? {} : { gpuMilliseconds: (known.gpuMilliseconds ?? 0) + gpu }),
    });
  }
  return [...sums.values()]
    .map(({ gpuMilliseconds: gpu, ...sum }) => ({
      ...sum,
      calls: sum.calls / runs,
      milliseconds: sum.milliseconds / runs,
      ...(gpu === undefined ? {} : { gpuMilliseconds: gpu / runs }),
    }))
    .sort((a, b) => timeOf(b) - timeOf(a));
}

/** What a kernel takes: the GPU's time where it is known. */
function timeOf({ milliseconds, gpuMilliseconds }: KernelTime): number {
  return gpuMilliseconds ?? milliseconds;
}
