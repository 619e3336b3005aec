import type { Environment } from '../protocol/environment.js';
import type { Task } from '../protocol/task.js';

/**
 * The session options that keep INT8 products exact on a device. Without VNNI, x86-64 multiplies 8-bit weights by
 * `vpmaddubsw`, which adds two products in 16 bits and saturates; with it, and on other architectures, the sums have 32 bits.
 *
 * @param environment - of the device
 * @returns `x64QuantPrecision` where the processor is x86-64 and has neither AVX512-VNNI nor AVX-VNNI, else nothing
 */
export function int8Precision({ cpu, os }: Environment): Pick<Task['session'], 'x64QuantPrecision'> {
  const isX64 = os.arch === 'x64' || os.arch === 'x86_64';
  const hasVnni = cpu.features.includes('avx512_vnni') || cpu.features.includes('avx_vnni');
  return isX64 && !hasVnni ? { x64QuantPrecision: true } : {};
}
