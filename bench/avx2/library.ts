import { createRequire } from 'node:module';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { localEnvironment } from '../../src/device/local/environment.js';

const LIBRARY = 'libonnxruntime.so.1';

/** `xor ecx, ecx; xgetbv`: asks which registers the operating system saves (Intel SDM, volume 1, 13.3). */
const ASKING = Buffer.from([0x31, 0xc9, 0x0f, 0x01, 0xd0]);

/** `xor ecx, ecx; lea eax, [rcx + 7]`: x87, SSE and AVX, no AVX-512. Touches nothing but what `xgetbv` sets. */
const ANSWERED = Buffer.from([0x31, 0xc9, 0x8d, 0x41, 0x07]);

/** Where ONNX Runtime asks: in the constructor of MLAS_PLATFORM, and in CPUIDInfo. */
const PLACES = 2;

/**
 * Writes a copy of ONNX Runtime that believes that the operating system saves no AVX-512 state, and so takes its kernels for AVX2 as on
 * processors that have nothing newer. With LD_LIBRARY_PATH set to the folder, Node's binding loads it instead of its own.
 *
 * @param folder - is made
 * @throws Error when this processor has AVX-VNNI, which needs no such state and would be taken; when it has no AVX2; when the library does
 *   not ask where it is expected to
 */
export async function writeAvx2Library(folder: string): Promise<void> {
  const { cpu, os } = await localEnvironment();
  const has = (feature: string): boolean => cpu.features.includes(feature);
  if (os.platform !== 'linux' || os.arch !== 'x64')
    throw new Error('AVX2 kernels: Linux on x86-64 is needed');
  if (!has('avx2')) throw new Error('AVX2 kernels: this processor has no AVX2');
  if (has('avx_vnni'))
    throw new Error(
      'AVX2 kernels: this processor has AVX-VNNI (avx_vnni), whose kernels would be taken instead',
    );
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const path = join(dirname(main), '..', 'bin', 'napi-v6', 'linux', 'x64', LIBRARY);
  const bytes = await readFile(path);
  const found: number[] = [];
  for (let at = bytes.indexOf(ASKING); at >= 0; at = bytes.indexOf(ASKING, at + 1)) found.push(at);
  if (found.length !== PLACES)
    throw new Error(
      `${path}: asks for the state that the system saves (31 c9 0f 01 d0) in ${found.length} places, and ${PLACES} are expected`,
    );
  for (const at of found) ANSWERED.copy(bytes, at);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, LIBRARY), bytes);
}
