import { beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { float16Bits } from '../../src/onnx/half.js';
import { loadFolder } from '../support/load.js';
import type { ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { logitsOf, maxDifference, openBench, type Bench } from '../compress/support.js';
import {
  builtInConfig,
  builtInTensors,
  directoryOf,
  safetensorsBytes,
  type RawTensor,
} from './checkpoint.js';

let bench: Bench;
let tensors: Map<string, RawTensor>;
beforeAll(async () => {
  bench = await openBench();
  tensors = await builtInTensors();
});

async function loadHuggingFace(directory: string): Promise<ViT> {
  return (await loadFolder(directory)).vit;
}

function asHalf(tensor: RawTensor, dtype: 'F16' | 'BF16'): RawTensor {
  const floats = new Float32Array(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength / 4);
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves =
    dtype === 'F16' ? Uint16Array.from(floats, float16Bits) : Uint16Array.from(words, (word) => word >>> 16);
  return { dtype, shape: tensor.shape, bytes: new Uint8Array(halves.buffer) };
}

describe('a checkpoint in Hugging Face layout', () => {
  it.each([
    ['F16', 2e-2],
    ['BF16', 2e-1],
  ] as const)('loads from %s', async (dtype, tolerance) => {
    const halves = new Map([...tensors].map(([name, tensor]) => [name, asHalf(tensor, dtype)]));
    const directory = await directoryOf({
      'config.json': await builtInConfig(),
      'model.safetensors': safetensorsBytes(halves),
    });
    const difference = maxDifference(
      await logitsOf(bench, await loadHuggingFace(directory)),
      bench.reference,
    );
    expect(difference).toBeLessThan(tolerance);
    expect(difference).toBeGreaterThan(0);
  });

  it('loads from shards', async () => {
    const names = [...tensors.keys()];
    const [first, second] = [names.slice(0, 20), names.slice(20)];
    const part = (of: string[]): Buffer =>
      safetensorsBytes(new Map(of.map((name) => [name, tensors.get(name)!])));
    const weight_map = Object.fromEntries([
      ...first.map((name) => [name, 'model-00001-of-00002.safetensors']),
      ...second.map((name) => [name, 'model-00002-of-00002.safetensors']),
    ]) as Record<string, string>;
    const directory = await directoryOf({
      'config.json': await builtInConfig(),
      'model.safetensors.index.json': JSON.stringify({ weight_map }),
      'model-00001-of-00002.safetensors': part(first),
      'model-00002-of-00002.safetensors': part(second),
    });
    const vit = await loadHuggingFace(directory);
    expect(maxDifference(await logitsOf(bench, vit), bench.reference)).toBeLessThan(1e-3);
  });

  it('refuses an index that leads out of its directory', async () => {
    const directory = await directoryOf({
      'config.json': await builtInConfig(),
      'model.safetensors.index.json': JSON.stringify({ weight_map: { x: '../elsewhere.safetensors' } }),
    });
    await expect(loadHuggingFace(directory)).rejects.toThrow(/weight_map\.x: found \.\.\/elsewhere/);
  });

  it('takes zero for the biases of q, k and v where the config says there are none', async () => {
    const without = new Map([...tensors].filter(([name]) => !/(query|key|value)\.bias$/.test(name)));
    const directory = await directoryOf({
      'config.json': await builtInConfig({ qkv_bias: false }),
      'model.safetensors': safetensorsBytes(without),
    });
    const bias = (await loadHuggingFace(directory)).weights.get('layers.0.q.bias')!;
    expect(new Set(await bias.read())).toEqual(new Set([0]));
  });

  const withTensors = async (change: (all: Map<string, RawTensor>) => void): Promise<string> => {
    const all = new Map(tensors);
    change(all);
    return directoryOf({ 'config.json': await builtInConfig(), 'model.safetensors': safetensorsBytes(all) });
  };

  it('refuses a missing tensor by its name and shape', async () => {
    const directory = await withTensors((all) => all.delete('vit.encoder.layer.1.output.dense.weight'));
    await expect(loadHuggingFace(directory)).rejects.toThrow(InputError);
    await expect(loadHuggingFace(directory)).rejects.toThrow(
      /model\.safetensors: tensor vit\.encoder\.layer\.1\.output\.dense\.weight: found nothing; expected shape \[128, 512\]/,
    );
  });

  it('refuses a tensor of the wrong shape', async () => {
    const name = 'vit.embeddings.patch_embeddings.projection.weight';
    const directory = await withTensors((all) =>
      all.set(name, { ...all.get(name)!, shape: [128, 3, 64, 1] }),
    );
    await expect(loadHuggingFace(directory)).rejects.toThrow(
      /projection\.weight: found shape \[128, 3, 64, 1\]; expected shape \[128, 3, 8, 8\]/,
    );
  });

  it('refuses a tensor of integers', async () => {
    const directory = await withTensors((all) =>
      all.set('classifier.bias', { dtype: 'I32', shape: [10], bytes: new Uint8Array(40) }),
    );
    await expect(loadHuggingFace(directory)).rejects.toThrow(
      /classifier\.bias: found int32; expected F64, F32, F16 or BF16/,
    );
  });

  const configs: [string, Record<string, unknown>, RegExp][] = [
    ['another model', { model_type: 'bert' }, /config\.json: model_type: found "bert"; expected .*"dinov2"/],
    ['no model type', { model_type: undefined }, /model_type: found nothing; expected "vit" or "deit"/],
    ['another activation', { hidden_act: 'mish' }, /hidden_act: found "mish"; expected "gelu"/],
    [
      'a patch that does not divide the image',
      { patch_size: 7 },
      /patch_size: found 7; expected a divisor of image_size, 32/,
    ],
    [
      'heads that do not divide the width',
      { num_attention_heads: 5 },
      /num_attention_heads: found 5; expected a divisor/,
    ],
    ['a width that is no number', { hidden_size: 'wide' }, /hidden_size: found "wide"; expected a number/],
    [
      'labels with a gap',
      { id2label: { '0': 'a', '2': 'b' } },
      /id2label: found the keys 0, 2; expected the keys 0, 1, 2/,
    ],
  ];
  it.each(configs)('refuses a config of %s', async (_what, changes, message) => {
    const directory = await directoryOf({
      'config.json': await builtInConfig(changes),
      'model.safetensors': safetensorsBytes(tensors),
    });
    await expect(loadHuggingFace(directory)).rejects.toThrow(InputError);
    await expect(loadHuggingFace(directory)).rejects.toThrow(message);
  });

  it('refuses a directory without a config, and one without anything', async () => {
    const directory = await directoryOf({ 'model.safetensors': safetensorsBytes(tensors) });
    await expect(loadHuggingFace(directory)).rejects.toThrow(/config\.json beside it: found no such file/);
    await expect(loadHuggingFace(await directoryOf({}))).rejects.toThrow(
      /found no weights; expected a folder with model\.safetensors/,
    );
  });

  it('is the same model under the names of Transformers 5', async () => {
    const names: [RegExp, string][] = [
      [/attention\.attention\.(q|k|v)(uery|ey|alue)/, 'attention.$1_proj'],
      [/attention\.output\.dense/, 'attention.o_proj'],
      [/intermediate\.dense/, 'mlp.fc1'],
      [/output\.dense/, 'mlp.fc2'],
      [/encoder\.layer\./, 'layers.'],
    ];
    const renamed = [...tensors].map(([name, tensor]): [string, RawTensor] => [
      names.reduce((text, [from, to]) => text.replace(from, to), name),
      tensor,
    ]);
    const directory = await directoryOf({
      'config.json': await builtInConfig(),
      'model.safetensors': safetensorsBytes(new Map(renamed)),
    });
    const vit = await loadHuggingFace(directory);
    expect(maxDifference(await logitsOf(bench, vit), bench.reference)).toBeLessThan(1e-3);
  });

  it('leaves out what is of use for training alone, and names buffers that are no weights', async () => {
    const directory = await withTensors((all) => {
      all.set('vit.pooler.dense.weight', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) });
      all.set('vit.embeddings.mask_token', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) });
      all.set('vit.embeddings.keep_mask', { dtype: 'BOOL', shape: [3], bytes: new Uint8Array(3) });
      all.set('vit.embeddings.steps', { dtype: 'U64', shape: [1], bytes: new Uint8Array(8) });
    });
    const { notes } = await loadFolder(directory);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('the pooler');
    expect(notes[1]).toContain('vit.embeddings.keep_mask (bool)');
    expect(notes[1]).toContain('vit.embeddings.steps (U64)');
  });

  it.each(['classifier.0.weight', 'vit.embeddings.norm.weight', 'adapter.weight', 'vit.layernorm.extra'])(
    'refuses a tensor that would be left out: %s',
    async (name) => {
      const directory = await withTensors((all) =>
        all.set(name, { dtype: 'F32', shape: [2], bytes: new Uint8Array(8) }),
      );
      expect((await refusalOf(() => loadHuggingFace(directory))).place).toBe(`tensor ${name}`);
    },
  );

  it('refuses a head of another form, and does not take the model for one without a head', async () => {
    const directory = await withTensors((all) => {
      all.set('classifier.1.weight', all.get('classifier.weight')!);
      all.set('classifier.1.bias', all.get('classifier.bias')!);
      all.delete('classifier.weight');
      all.delete('classifier.bias');
    });
    const { place, expected } = await refusalOf(() => loadHuggingFace(directory));
    expect(place).toBe('tensor classifier.1.weight');
    expect(expected).toContain('one linear layer, classifier');
  });

  it.each([NaN, Infinity, -Infinity])('refuses the weight %s when it is read', async (value) => {
    const directory = await withTensors((all) => {
      const bias = all.get('classifier.bias')!;
      const damaged = new Float32Array(Uint8Array.from(bias.bytes).buffer);
      damaged[3] = value;
      all.set('classifier.bias', { ...bias, bytes: new Uint8Array(damaged.buffer) });
    });
    const vit = await loadHuggingFace(directory);
    const fault = await refusalOf(() => vit.weights.get('head.bias')!.read());
    expect(fault).toMatchObject({ place: 'tensor classifier.bias' });
    expect(fault.found).toContain(String(value));
  });

  it('refuses numbers of layers that no ViT has before anything is made of them', async () => {
    for (const num_hidden_layers of [1e6, 5e7, 1e10]) {
      const directory = await directoryOf({
        'config.json': await builtInConfig({ num_hidden_layers }),
        'model.safetensors': safetensorsBytes(tensors),
      });
      expect((await refusalOf(() => loadHuggingFace(directory))).place).toBe('num_hidden_layers');
    }
  });

  it.each([
    [{ use_mean_pooling: true }, 'use_mean_pooling'],
    [{ use_swiglu_ffn: true }, 'use_swiglu_ffn'],
    [{ head_dim: 16 }, 'head_dim'],
    [{ quantization_config: { bits: 4 } }, 'quantization_config'],
    [{ rope_theta: 100 }, 'rope_theta'],
  ])('refuses a config that changes the computation: %j', async (changes, place) => {
    const directory = await directoryOf({
      'config.json': await builtInConfig(changes),
      'model.safetensors': safetensorsBytes(tensors),
    });
    expect((await refusalOf(() => loadHuggingFace(directory))).place).toBe(place);
  });

  it('refuses a tensor of a shard that its index does not name', async () => {
    const names = [...tensors.keys()];
    const directory = await directoryOf({
      'config.json': await builtInConfig(),
      'model.safetensors.index.json': JSON.stringify({
        weight_map: Object.fromEntries(names.slice(1).map((name) => [name, 'model-1-of-1.safetensors'])),
      }),
      'model-1-of-1.safetensors': safetensorsBytes(tensors),
    });
    expect((await refusalOf(() => loadHuggingFace(directory))).place).toBe(`tensor ${names[0]!}`);
  });

  it('refuses a pickle that torch.save did not write and says how to convert it', async () => {
    const directory = await directoryOf({
      'config.json': await builtInConfig(),
      'pytorch_model.bin': new Uint8Array(8),
    });
    await expect(loadHuggingFace(directory)).rejects.toThrow(
      /pytorch_model\.bin: found a pickle that torch\.save did not write.*expected model\.safetensors.*\nConvert it/,
    );
  });

  it('loads a backbone alone, without prefix and classifier, as a model without labels', async () => {
    const backbone = new Map(
      [...tensors]
        .filter(([name]) => !name.startsWith('classifier.'))
        .map(([name, tensor]) => [name.replace(/^vit\./, ''), tensor]),
    );
    const directory = await directoryOf({
      'config.json': await builtInConfig({ id2label: undefined }),
      'model.safetensors': safetensorsBytes(backbone),
    });
    const { config, weights } = await loadHuggingFace(directory);
    expect(config.labels).toEqual([]);
    expect(weights.get('head.weight')!.dims).toEqual([0, 128]);
    expect(await weights.get('layers.3.fc2.weight')!.read()).toEqual(
      await bench.vit.weights.get('layers.3.fc2.weight')!.read(),
    );
  });
});
