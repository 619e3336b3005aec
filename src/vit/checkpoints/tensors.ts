import { dirname, join } from 'node:path';
import { InputError } from '../../base/errors.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { fromBfloat16, fromFloat16 } from '../../onnx/half.js';
import { computed } from '../derived.js';
import { readSafetensors } from '../safetensors.js';
import { readShardIndex } from './shards.js';

/** A checkpoint's tensors, each of which is read from disk when it is asked for. */
export interface CheckpointTensors {
  /** The file that tells which tensors there are. */
  readonly source: string;
  readonly tensors: ReadonlyMap<string, TensorSource>;
}

/**
 * Opens a safetensors file, or all shards that an index names.
 *
 * @param weights - the `.safetensors` file or the index (`….safetensors.index.json`)
 * @throws InputError when it is missing or malformed
 */
export async function readCheckpointTensors(weights: string): Promise<CheckpointTensors> {
  const tensors = weights.endsWith('.json') ? await readShards(weights) : await readSafetensors(weights);
  return { source: weights, tensors };
}

async function readShards(index: string): Promise<Map<string, TensorSource>> {
  const shards = new Map<string, Map<string, TensorSource>>();
  const tensors = new Map<string, TensorSource>();
  for (const [name, file] of await readShardIndex(index)) {
    const path = join(dirname(index), file);
    const shard = shards.get(file) ?? (await readSafetensors(path));
    shards.set(file, shard);
    const tensor = shard.get(name);
    if (tensor === undefined)
      throw new InputError({
        source: path,
        place: `tensor ${name}`,
        found: 'nothing',
        expected: `the tensor that ${index} says is here`,
      });
    tensors.set(name, tensor);
  }
  return tensors;
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
