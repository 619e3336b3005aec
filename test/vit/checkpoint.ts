import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { readSafetensors } from '../../src/vit/safetensors.js';

const source = join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10');

/** A tensor as a safetensors file holds it. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The tensors of the built-in checkpoint. */
export async function builtInTensors(): Promise<Map<string, RawTensor>> {
  const tensors = new Map<string, RawTensor>();
  for (const [name, tensor] of (await readSafetensors(join(source, 'model.safetensors'))).tensors)
    tensors.set(name, { dtype: 'F32', shape: tensor.dims, bytes: await tensor.read() });
  return tensors;
}

/** The bytes of a safetensors file. `lie` changes the header before it is written. */
export function safetensorsBytes(
  tensors: ReadonlyMap<string, RawTensor>,
  lie: (
    header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>,
  ) => void = () => undefined,
): Buffer {
  const header: Parameters<typeof lie>[0] = {};
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape: [...shape], data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  lie(header);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...[...tensors.values()].map(({ bytes }) => bytes)]);
}

/** The built-in model's config with some keys changed; undefined removes a key. */
export async function builtInConfig(changes: Record<string, unknown> = {}): Promise<string> {
  const config = JSON.parse(await readFile(join(source, 'config.json'), 'utf8')) as Record<string, unknown>;
  return JSON.stringify({ ...config, ...changes });
}

/** A directory with files of these contents, deleted when the test ends. */
export async function directoryOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}
