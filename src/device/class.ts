import { hashJson } from '../base/hash.js';
import type { Environment } from '../protocol/environment.js';
import type { DeviceProfile } from './kind.js';

/**
 * By what identical devices are known: all of what they are and how they are used, but not which one it is or how it is reached.
 *
 * @param profile - of the device
 * @param environment - what it is
 * @returns equal for identical ones
 */
export function deviceClass(
  { kind, board, threads, session, emulated }: DeviceProfile,
  environment: Environment,
): string {
  return hashJson([
    { kind, board, threads, session, emulated },
    { ...environment, git: null },
  ]);
}
