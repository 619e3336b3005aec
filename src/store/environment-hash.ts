import { hashJson } from '../base/hash.js';
import type { Environment } from '../protocol/environment.js';

/**
 * Hash of what decides how fast a device is: processor and what may be used of it, virtualisation, threads, runtime, session
 * options, and of a browser its version, flags and adapter. What restricts nothing is left out, so that a machine that may use all of itself is the one that older versions knew.
 *
 * @param environment - of the device
 * @param threads - that the runtime has
 * @param runtime - what the agent says of its runtime
 * @param session - options that sessions are opened with
 */
export function environmentHash(
  { cpu, virtual, hypervisor, emulated, browser, gpu }: Environment,
  threads: number,
  runtime: unknown,
  session: unknown,
): string {
  const { model, features, physicalCores, logicalCores, governor, usable } = cpu;
  const isPart = usable !== undefined && logicalCores !== null && usable.processors < logicalCores;
  return hashJson({
    cpu: {
      model,
      features,
      physicalCores,
      logicalCores,
      governor,
      ...(isPart && { processors: usable.processors, cores: usable.cores ?? undefined }),
      quota: usable?.quota ?? undefined,
    },
    virtual: virtual ? (hypervisor ?? true) : undefined,
    emulated,
    browser: browser && { product: browser.product, flags: browser.flags },
    adapter: gpu && [gpu.vendor, gpu.architecture, gpu.device, gpu.description],
    ...{ threads, runtime, session },
  });
}
