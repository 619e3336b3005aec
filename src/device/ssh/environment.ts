import { createRequire } from 'node:module';
import { installedVersion } from '../../base/paths.js';
import type { Environment } from '../../protocol/environment.js';
import { gitState } from '../git.js';
import { KERNEL_FEATURES } from '../kernel-features.js';
import type { BoardFacts } from './probe.js';
import { clustersOf, processorName } from './processor.js';

/**
 * What a board is, for the record of a measurement.
 *
 * @param facts - what its probe said
 * @param node - version of the Node that agents run on
 * @param emulated - whether it is no board but an emulator
 */
export async function boardEnvironment(
  facts: BoardFacts,
  node: string,
  emulated: boolean,
): Promise<Environment> {
  const features = new Set(facts.cores.flatMap((core) => core.features));
  const [fastest] = clustersOf(facts);
  return {
    cpu: {
      model: `${processorName(facts)}${emulated ? ' (emulated)' : ''}`,
      features: KERNEL_FEATURES.filter((feature) => features.has(feature)),
      physicalCores: facts.cores.length || null,
      logicalCores: facts.cores.length || null,
      governor: fastest?.cores[0]?.governor ?? null,
      maxFrequency: fastest?.maxFrequency === undefined ? null : Math.round(fastest.maxFrequency),
      ...(facts.usable && { usable: { ...facts.usable, cores: null } }),
    },
    memoryBytes: facts.memoryBytes || null,
    virtual: emulated,
    os: {
      platform: facts.system.toLowerCase(),
      distribution: facts.distribution ?? 'unknown',
      release: '',
      kernel: facts.kernel,
      arch: facts.architecture,
    },
    node,
    versions: {
      'onnxruntime-node': runtimeVersion(),
      edgeflex: installedVersion(),
      libc: [facts.libc?.name, facts.libc?.version].join(' ').trim(),
    },
    git: await gitState(),
  };
}

/** Boards get the installed runtime. */
function runtimeVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');
  return (manifest as { version: string }).version;
}
