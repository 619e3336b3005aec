import type { Environment } from './environment.js';

/**
 * Whether ONNX Runtime's own INT8 products saturate on a processor. Without VNNI, x86-64 multiplies 8-bit weights by
 * `vpmaddubsw`, which adds two products in 16 bits and saturates; with it, and on other architectures, the sums have 32 bits.
 * `x64QuantPrecision` in the session's options has the products made in another, exact way.
 *
 * @param environment - of the device
 */
export function saturates({ cpu, os }: Pick<Environment, 'cpu' | 'os'>): boolean {
  const isX64 = os.arch === 'x64' || os.arch === 'x86_64';
  return isX64 && !cpu.features.includes('avx512_vnni') && !cpu.features.includes('avx_vnni');
}
