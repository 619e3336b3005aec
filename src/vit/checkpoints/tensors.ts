import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { foundBy, InputError } from '../../base/errors.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { fromBfloat16, fromFloat16 } from '../../onnx/half.js';
import { computed } from '../derived.js';
import { readSafetensors } from '../safetensors.js';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** A checkpoint's tensors, each of which is read from disk when it is asked for. */
export interface CheckpointTensors {
  /** The file that tells which tensors there are. */
  readonly source: string;
  readonly tensors: ReadonlyMap<string, TensorSource>;
}

/** What PyTorch pickles are called. */
const PICKLE = /\.(bin|pt|pth|pkl|ckpt)$/;

/**
 * Opens the safetensors files of a directory: `model.safetensors`, its shards with their index, or the only one there is.
 *
 * @param directory - where they lie
 * @throws InputError when there are none, or what there is is malformed
 */
export async function readCheckpointTensors(directory: string): Promise<CheckpointTensors> {
  const single = join(directory, 'model.safetensors');
  const index = `${single}.index.json`;
  if (existsSync(single)) return { source: single, tensors: await readSafetensors(single) };
  if (existsSync(index)) return { source: index, tensors: await readShards(directory, index) };
  const files = (await readdir(directory)).sort();
  const others = files.filter((file) => file.endsWith('.safetensors') && file !== 'parity.safetensors');
  if (others.length === 1) {
    const path = join(directory, others[0]!);
    return { source: path, tensors: await readSafetensors(path) };
  }
  const pickle = files.find((file) => PICKLE.test(file));
  if (pickle !== undefined) throw pickleRefused(join(directory, pickle));
  throw new InputError({ source: single, found: 'nothing', expected: 'a safetensors file' });
}

/**
 * Why a pickle is not read.
 *
 * @param path - the file
 */
export function pickleRefused(path: string): InputError {
  return new InputError({
    source: path,
    found: 'a pickle, which can run any code when it is read',
    expected: 'model.safetensors',
    hint:
      'Convert it where you trust it, with PyTorch:\n' +
      '  python -c "import sys, torch; from safetensors.torch import save_file; ' +
      "w = torch.load(sys.argv[1], map_location='cpu', weights_only=True); w = w.get('model', w); " +
      "save_file({k: v.contiguous() for k, v in w.items()}, 'model.safetensors')\" " +
      path,
  });
}

/** Whether a file's name is that of a pickle. */
export function isPickle(path: string): boolean {
  return PICKLE.test(path);
}

async function readShards(directory: string, index: string): Promise<Map<string, TensorSource>> {
  const parsed = indexSchema.safeParse(await readJson(index, 'an index of safetensors shards'));
  if (!parsed.success)
    throw new InputError({
      source: index,
      found: 'no weight_map',
      expected: 'a map from tensor to file name',
    });
  const shards = new Map<string, Map<string, TensorSource>>();
  const tensors = new Map<string, TensorSource>();
  for (const [name, file] of Object.entries(parsed.data.weight_map)) {
    if (file.includes('/') || file.includes('\\'))
      throw new InputError({
        source: index,
        place: `weight_map.${name}`,
        found: file,
        expected: 'a file name in the same directory',
      });
    const shard = shards.get(file) ?? (await readSafetensors(join(directory, file)));
    shards.set(file, shard);
    const tensor = shard.get(name);
    if (tensor === undefined)
      throw new InputError({
        source: join(directory, file),
        place: `tensor ${name}`,
        found: 'nothing',
        expected: `the tensor that ${index} says is here`,
      });
    tensors.set(name, tensor);
  }
  return tensors;
}

/**
 * Reads a JSON file beside a checkpoint.
 *
 * @param path - the file
 * @param expected - what it should be, for the message
 * @throws InputError when it cannot be read or is not JSON
 */
export async function readJson(path: string, expected: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    throw new InputError({ source: path, found: foundBy(error), expected });
  }
}

/**
 * A float tensor of a checkpoint as float32 under another shape of as many elements. Nothing is read before `read`.
 *
 * @param source - the file, for the message
 * @param name - the tensor's name there
 * @param tensor - the tensor
 * @param dims - the shape it gets
 * @throws InputError when it is no float
 */
export function asFloat32(
  source: string,
  name: string,
  tensor: TensorSource,
  dims: readonly number[],
): TensorSource {
  const converted = (convert: (bytes: Uint8Array) => Float32Array): TensorSource =>
    computed(dims, async () => convert(await tensor.read()));
  switch (tensor.dtype) {
    case 'float32':
      return { dtype: 'float32', dims, read: () => tensor.read() };
    case 'float16':
      return converted((bytes) => fromFloat16(viewAs(bytes, Uint16Array)));
    case 'bfloat16':
      return converted((bytes) => fromBfloat16(viewAs(bytes, Uint16Array)));
    default:
      throw new InputError({
        source,
        place: `tensor ${name}`,
        found: tensor.dtype,
        expected: 'F32, F16 or BF16',
      });
  }
}
