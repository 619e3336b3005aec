import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { foundBy, InputError } from '../base/errors.js';
import { describeFault } from '../base/schema.js';
import { fromBfloat16, fromFloat16 } from '../onnx/half.js';
import { elementCount, float32, tensorOf, viewAs, type TensorSource } from '../onnx/tensor.js';
import type { ViTConfig } from './config.js';
import { readSafetensors } from './safetensors.js';
import { weightShapes, type ViT } from './vit.js';

const configSchema = z.object({
  model_type: z.literal('vit'),
  hidden_size: z.number().int().positive(),
  num_hidden_layers: z.number().int().positive(),
  num_attention_heads: z.number().int().positive(),
  intermediate_size: z.number().int().positive(),
  hidden_act: z.literal('gelu').default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: z.number().int().positive().default(224),
  patch_size: z.number().int().positive().default(16),
  num_channels: z.number().int().positive().default(3),
  qkv_bias: z.boolean().default(true),
  id2label: z.record(z.string(), z.string()),
});

/**
 * Loads a ViT from a directory in Hugging Face layout: `config.json` and `model.safetensors` (or its shards with
 * `model.safetensors.index.json`), in F32, F16 or BF16.
 *
 * @param directory - where the files lie
 * @returns the model in float32; tensors are read from disk when they are needed
 * @throws InputError when a file is missing or malformed, the architecture is no ViT, or a tensor is missing or misshapen
 */
export async function loadHuggingFace(directory: string): Promise<ViT> {
  const { config, qkvBias } = await readConfig(join(directory, 'config.json'));
  const { source, tensors } = await readWeights(directory);
  const weights = new Map<string, TensorSource>();
  for (const [name, dims] of weightShapes(config)) {
    const theirs = huggingFaceName(name);
    if (!qkvBias && /\.[qkv]\.bias$/.test(name)) {
      weights.set(name, float32(dims, new Float32Array(elementCount(dims))));
      continue;
    }
    const tensor = tensors.get(theirs);
    const shape = huggingFaceShape(config, name, dims).join(', ');
    if (tensor?.dims.join(', ') !== shape)
      throw new InputError({
        source,
        place: `tensor ${theirs}`,
        found: tensor === undefined ? 'nothing' : `shape [${tensor.dims.join(', ')}]`,
        expected: `shape [${shape}]`,
      });
    weights.set(name, asFloat32(source, theirs, tensor, dims));
  }
  return { config, weights, forms: new Map() };
}

async function readConfig(path: string): Promise<{ config: ViTConfig; qkvBias: boolean }> {
  const raw = await readJson(path, 'the config.json of a ViT in Hugging Face layout');
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw new InputError({
      source: path,
      place: keys.map(String).join('.') || 'the whole file',
      found,
      expected,
    });
  }
  const hf = parsed.data;
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  if (hf.image_size % hf.patch_size !== 0)
    throw refuse('patch_size', String(hf.patch_size), `a divisor of image_size, ${hf.image_size}`);
  if (hf.hidden_size % hf.num_attention_heads !== 0)
    throw refuse(
      'num_attention_heads',
      String(hf.num_attention_heads),
      `a divisor of hidden_size, ${hf.hidden_size}`,
    );
  const count = Object.keys(hf.id2label).length;
  const labels = Array.from({ length: count }, (_, index) => hf.id2label[String(index)]);
  if (count === 0 || labels.some((label) => label === undefined))
    throw refuse('id2label', `the keys ${Object.keys(hf.id2label).join(', ')}`, 'the keys 0, 1, 2, …');
  return {
    qkvBias: hf.qkv_bias,
    config: {
      imageSize: hf.image_size,
      patchSize: hf.patch_size,
      channels: hf.num_channels,
      hiddenSize: hf.hidden_size,
      heads: hf.num_attention_heads,
      mlpSizes: Array.from({ length: hf.num_hidden_layers }, () => hf.intermediate_size),
      layerNormEpsilon: hf.layer_norm_eps,
      labels: labels as string[],
    },
  };
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

async function readWeights(
  directory: string,
): Promise<{ source: string; tensors: ReadonlyMap<string, TensorSource> }> {
  const single = join(directory, 'model.safetensors');
  const index = `${single}.index.json`;
  if (existsSync(single) || !existsSync(index))
    return { source: single, tensors: await readSafetensors(single) };
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
  return { source: index, tensors };
}

async function readJson(path: string, expected: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    throw new InputError({ source: path, found: foundBy(error), expected });
  }
}

/** EdgeFlex's name of a tensor as Hugging Face Transformers writes it. */
function huggingFaceName(name: string): string {
  const fixed: Record<string, string> = {
    'patch.weight': 'vit.embeddings.patch_embeddings.projection.weight',
    'patch.bias': 'vit.embeddings.patch_embeddings.projection.bias',
    cls: 'vit.embeddings.cls_token',
    positions: 'vit.embeddings.position_embeddings',
    'norm.weight': 'vit.layernorm.weight',
    'norm.bias': 'vit.layernorm.bias',
    'head.weight': 'classifier.weight',
    'head.bias': 'classifier.bias',
  };
  const parts: Record<string, string> = {
    norm1: 'layernorm_before',
    norm2: 'layernorm_after',
    q: 'attention.attention.query',
    k: 'attention.attention.key',
    v: 'attention.attention.value',
    o: 'attention.output.dense',
    fc1: 'intermediate.dense',
    fc2: 'output.dense',
  };
  if (fixed[name] !== undefined) return fixed[name];
  const [, layer, part, kind] = name.split('.') as [string, string, string, string];
  return `vit.encoder.layer.${layer}.${parts[part]!}.${kind}`;
}

/** The shape a tensor has in a Hugging Face checkpoint, where it differs from EdgeFlex's. */
function huggingFaceShape(config: ViTConfig, name: string, dims: readonly number[]): readonly number[] {
  if (name === 'patch.weight')
    return [config.hiddenSize, config.channels, config.patchSize, config.patchSize];
  if (name === 'cls') return [1, 1, ...dims];
  if (name === 'positions') return [1, ...dims];
  return dims;
}

function asFloat32(
  source: string,
  name: string,
  tensor: TensorSource,
  dims: readonly number[],
): TensorSource {
  const { dtype } = tensor;
  const converted = (convert: (bytes: Uint8Array) => Float32Array): TensorSource => ({
    dtype: 'float32',
    dims,
    read: async () => tensorOf('float32', dims, convert(await tensor.read())).read(),
  });
  switch (dtype) {
    case 'float32':
      return { dtype, dims, read: () => tensor.read() };
    case 'float16':
      return converted((bytes) => fromFloat16(viewAs(bytes, Uint16Array)));
    case 'bfloat16':
      return converted((bytes) => fromBfloat16(viewAs(bytes, Uint16Array)));
    default:
      throw new InputError({ source, place: `tensor ${name}`, found: dtype, expected: 'F32, F16 or BF16' });
  }
}
