import { hashJson } from '../base/hash.js';
import type { Environment } from '../protocol/environment.js';

/**
 * Hash of what decides how fast a device is: processor, threads, runtime and session options.
 *
 * @param environment - of the device
 * @param threads - that the runtime has
 * @param runtime - what the agent says of its runtime
 * @param session - options that sessions are opened with
 */
export function environmentHash(
  { cpu }: Environment,
  threads: number,
  runtime: unknown,
  session: unknown,
): string {
  const { model, features, physicalCores, logicalCores, governor } = cpu;
  return hashJson({
    cpu: { model, features, physicalCores, logicalCores, governor },
    ...{ threads, runtime, session },
  });
}
