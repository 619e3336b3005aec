import type { Environment, Gpu } from '../protocol/environment.js';

/**
 * What a measurement might use of a machine's processors, where that was not all: `1 of 2 processors, 1.5 processors' time`.
 *
 * @param cpu - of the environment
 * @returns undefined where nothing restricts it, or nobody told
 */
export function restrictionText({ usable, logicalCores }: Environment['cpu']): string | undefined {
  if (usable === undefined) return undefined;
  const { processors, quota } = usable;
  const parts = [
    ...(logicalCores !== null && processors < logicalCores
      ? [`${processors} of ${logicalCores} processors`]
      : []),
    ...(quota === null ? [] : [`a quota of ${Number(quota.toFixed(2))} processors`]),
  ];
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/**
 * How many cores a machine has: `4 physical, 8 logical`.
 *
 * @param cpu - of the environment
 */
export function coresText({ physicalCores, logicalCores }: Environment['cpu']): string {
  if (physicalCores === null && logicalCores === null) return 'unknown';
  return `${physicalCores ?? 'unknown'} physical, ${logicalCores ?? 'unknown'} logical`;
}

/** An adapter of WebGPU in words. */
export function adapterText({ vendor, architecture, description, software }: Gpu): string {
  const names = [vendor, architecture, description].filter((name) => name !== '').join(', ');
  return software ? `${names} (a software GPU)` : names;
}
