import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../base/errors.js';
import { readRange } from '../../base/read-range.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { fromBfloat16, fromFloat16 } from '../../onnx/half.js';
import { computed, finite } from '../derived.js';
import { readSafetensors, type Safetensors } from '../safetensors.js';
import { isPickle } from './pickle.js';
import { readShardIndex } from './shards.js';
import { readTorchFile } from './torch-file.js';

/** A checkpoint's tensors, each of which is read from disk when it is asked for. */
export interface CheckpointTensors {
  /** The file that tells which tensors there are. */
  readonly source: string;
  readonly tensors: ReadonlyMap<string, TensorSource>;
  /** Types of the tensors that cannot be read, by name. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Opens a safetensors file, all shards that an index names, or what `torch.save` wrote. What a wrapper put before all names is left away.
 *
 * @param weights - the `.safetensors` file, the index (`….index.json`), or the `.bin`, `.pt` or `.pth` file
 * @throws InputError when it is missing or malformed
 */
export async function readCheckpointTensors(weights: string): Promise<CheckpointTensors> {
  const read = weights.endsWith('.json') ? await readShards(weights) : await readWeights(weights);
  return { source: weights, ...withoutWrapper(read) };
}

/** With it begins what stands in a repository in place of a large file. */
const LFS = 'version https://git-lfs';

/**
 * Opens a file of weights by what it begins with: files that were renamed are read all the same, and what was never downloaded is called that.
 */
async function readWeights(path: string): Promise<Safetensors> {
  const { size } = await stat(path);
  const beginning = Buffer.from(await readRange(path, 0, Math.min(size, 64)));
  const text = beginning.toString('latin1');
  if (text.startsWith(LFS))
    throw new InputError({
      ...{ source: path, found: 'a pointer of Git LFS', expected: 'the file that it stands for' },
      hint: 'Fetch it with "git lfs pull" in that repository.',
    });
  if (/^\s*<(!doctype|html)\b/i.test(text))
    throw new InputError({
      ...{ source: path, found: 'a web page', expected: 'weights' },
      hint: 'Such a file is what a download leaves that was answered by a page: download it again.',
    });
  if (text.startsWith('PK\x03\x04')) return readTorchFile(path);
  // The header of safetensors is a JSON object behind its length.
  return isPickle(path) && text[8] !== '{' ? readTorchFile(path) : readSafetensors(path);
}

/**
 * What stands before all names where a model was saved within another: PyTorch's wrappers for several processors and for compiled models,
 * Transformers' for models of timm, a training module of Lightning,
 * PEFT's for adapters, what training scripts call a part of theirs.
 */
const WRAPPERS = [
  ...['module.', '_orig_mod.', 'timm_model.', 'model.', 'base_model.', 'backbone.', 'net.', 'network.'],
  ...['student.', 'teacher.'],
];

/** Tensors by their names within the model that was wrapped. */
function withoutWrapper(read: Safetensors): Safetensors {
  const names = [...read.tensors.keys(), ...read.unreadable.keys()];
  const wrapper = WRAPPERS.find((each) => names.length > 0 && names.every((name) => name.startsWith(each)));
  if (wrapper === undefined) return read;
  const within = <Value>(values: ReadonlyMap<string, Value>): Map<string, Value> =>
    new Map([...values].map(([name, value]) => [name.slice(wrapper.length), value]));
  return withoutWrapper({ tensors: within(read.tensors), unreadable: within(read.unreadable) });
}

async function readShards(index: string): Promise<Safetensors> {
  const shards = new Map<string, Safetensors>();
  const tensors = new Map<string, TensorSource>();
  const unreadable = new Map<string, string>();
  const files = await readShardIndex(index);
  for (const [name, file] of files) {
    const path = join(dirname(index), file);
    const shard = shards.get(file) ?? (await readWeights(path));
    shards.set(file, shard);
    const tensor = shard.tensors.get(name);
    const type = shard.unreadable.get(name);
    if (tensor) tensors.set(name, tensor);
    else if (type !== undefined) unreadable.set(name, type);
    else
      throw new InputError({
        source: path,
        place: `tensor ${name}`,
        found: 'no such tensor',
        expected: `the tensor that ${index} says is here`,
      });
  }
  for (const [file, shard] of shards)
    for (const name of [...shard.tensors.keys(), ...shard.unreadable.keys()])
      if (files.get(name) !== file)
        throw new InputError({
          source: join(dirname(index), file),
          place: `tensor ${name}`,
          found: `a tensor that ${index} ${files.has(name) ? 'places elsewhere' : 'does not name'}`,
          expected: 'shards and an index that agree',
        });
  return { tensors, unreadable };
}

/**
 * A float tensor of a checkpoint as float32 under another shape of as many elements. Nothing is read before `read`, which
 * refuses numbers that are not finite.
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
    computed(dims, async () => finite(source, `tensor ${name}`, convert(await tensor.read())));
  switch (tensor.dtype) {
    case 'float32':
      return converted((bytes) => viewAs(bytes, Float32Array));
    case 'float64':
      return converted((bytes) => Float32Array.from(viewAs(bytes, Float64Array)));
    case 'float16':
      return converted((bytes) => fromFloat16(viewAs(bytes, Uint16Array)));
    case 'bfloat16':
      return converted((bytes) => fromBfloat16(viewAs(bytes, Uint16Array)));
    default:
      throw new InputError({
        source,
        place: `tensor ${name}`,
        found: tensor.dtype,
        expected: 'F64, F32, F16 or BF16',
      });
  }
}
