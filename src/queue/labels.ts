import { readBytes } from '../base/quantities.js';
import type { DeviceProfile } from '../device/kind.js';
import type { Environment } from '../protocol/environment.js';
import type { Labels } from './requirements.js';

/**
 * What jobs may ask of a device: its kind, architecture, processor's instruction sets, cores, memory, adapter, board.
 *
 * @param profile - of the device
 * @param environment - what it is
 */
export function labelsOf(
  profile: DeviceProfile,
  { cpu, memoryBytes, os, gpu, ...rest }: Environment,
): Labels {
  const features = cpu.features.map((feature) => [feature.toLowerCase(), true] as const);
  const short = features.flatMap(([feature]) =>
    /^avx.*_vnni$/.test(feature) ? [['vnni', true] as const] : [],
  );
  const memory = memoryBytes ?? (profile.memory === undefined ? undefined : readBytes(profile.memory));
  const cores = cpu.usable?.cores ?? cpu.physicalCores ?? cpu.logicalCores;
  return {
    ...Object.fromEntries([...features, ...short]),
    ...{ name: profile.name, kind: profile.kind, arch: os.arch, os: os.platform, cpu: cpu.model },
    ...(memory !== undefined && { memory }),
    ...(cores !== null && { cores }),
    ...(profile.board !== undefined && { board: profile.board }),
    ...(gpu !== undefined && { gpu: gpu.vendor, ...(!gpu.software && { 'hardware-gpu': true as const }) }),
    ...(rest.browser !== undefined && { browser: rest.browser.product }),
    ...((profile.emulated || rest.emulated) && { emulated: true as const }),
    ...(rest.virtual && { virtual: true as const }),
  };
}
