import { hashJson } from '../base/hash.js';
import type { Environment } from '../protocol/environment.js';
import type { DeviceProfile } from './kind.js';

/** What the system keeps for itself differs a little from start to start. */
const MEMORY_STEP = 2 ** 26;

/**
 * By what identical devices are known: board, processor, memory (to 64 MiB), system and kernel, runtimes, and how they are used; not which
 * one it is or how it is reached.
 *
 * @param profile - of the device
 * @param environment - what it is
 * @returns equal for identical ones
 */
export function deviceClass(
  { kind, board, threads, session, emulated }: DeviceProfile,
  environment: Environment,
): string {
  const { memoryBytes } = environment;
  return hashJson([
    { kind, board, threads, session, emulated },
    { ...environment, git: null, memoryBytes: memoryBytes && Math.round(memoryBytes / MEMORY_STEP) },
  ]);
}
