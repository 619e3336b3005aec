import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import system from 'systeminformation';
import { installedVersion } from '../../base/paths.js';
import type { Environment } from '../../protocol/environment.js';
import { gitState } from '../git.js';
import { KERNEL_FEATURES } from '../kernel-features.js';
import { usableProcessors } from '../processors.js';

/** Describes this machine, for the record of a measurement. */
export async function localEnvironment(): Promise<Environment> {
  const [cpu, flags, memory, os, machine] = await Promise.all([
    system.cpu(),
    system.cpuFlags(),
    system.mem(),
    system.osInfo(),
    system.system(),
  ]);
  const present = new Set(flags.toLowerCase().split(/\s+/));
  return {
    cpu: {
      model: `${cpu.manufacturer} ${cpu.brand}`.trim(),
      features: KERNEL_FEATURES.filter((feature) => present.has(feature)),
      physicalCores: cpu.physicalCores || null,
      logicalCores: cpu.cores || null,
      governor: await governor(),
      maxFrequency: cpu.speedMax ? Math.round(cpu.speedMax * 1000) : null,
      usable: usableProcessors(),
    },
    memoryBytes: memory.total,
    virtual: machine.virtual,
    ...(machine.virtualHost && { hypervisor: machine.virtualHost }),
    os: {
      platform: os.platform,
      distribution: os.distro,
      release: os.release,
      kernel: os.kernel,
      arch: os.arch,
    },
    node: process.versions.node,
    versions: { 'onnxruntime-node': runtimeVersion(), edgeflex: installedVersion() },
    git: await gitState(),
  };
}

async function governor(): Promise<string | null> {
  const path = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor';
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}

function runtimeVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('onnxruntime-node/package.json');
  return (manifest as { version: string }).version;
}
