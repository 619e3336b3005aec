import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import system from 'systeminformation';
import { installedVersion, packageRoot } from '../../base/paths.js';
import type { Environment } from '../../protocol/environment.js';

const run = promisify(execFile);

/** Processor flags that ONNX Runtime's kernels are chosen by; the others do not change what is measured. */
const KERNEL_FEATURES = [
  'sse4_1',
  'avx',
  'fma',
  'avx2',
  'f16c',
  'avx_vnni',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_tile',
  'amx_int8',
  'asimd',
  'asimddp',
  'asimdhp',
  'i8mm',
  'bf16',
  'sve',
];

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
      physicalCores: cpu.physicalCores,
      logicalCores: cpu.cores,
      governor: await governor(),
      maxFrequency: cpu.speedMax ? Math.round(cpu.speedMax * 1000) : null,
    },
    memoryBytes: memory.total,
    virtual: machine.virtual,
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

async function gitState(): Promise<Environment['git']> {
  try {
    const git = async (...args: string[]): Promise<string> =>
      (await run('git', ['-C', packageRoot(), ...args])).stdout.trim();
    return { commit: await git('rev-parse', 'HEAD'), dirty: (await git('status', '--porcelain')) !== '' };
  } catch {
    return null;
  }
}
