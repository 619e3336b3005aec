import { beforeAll, describe, expect, it } from 'vitest';
import { viewAs } from '../../src/onnx/tensor.js';
import { loadFolder } from '../support/load.js';
import { linearName } from '../../src/vit/linears.js';
import { logitsOf, maxDifference, openBench, type Bench } from '../compress/support.js';
import { refusalOf } from '../support/refusal.js';
import { directoryOf, safetensorsBytes, type RawTensor } from './checkpoint.js';
import { distilledLogits } from './reference.js';
import { renamed, type Renamed } from './rename.js';

let bench: Bench;
let timm: Renamed;
let torchvision: Renamed;
beforeAll(async () => {
  bench = await openBench();
  timm = await renamed(bench.vit, 'timm');
  torchvision = await renamed(bench.vit, 'torchvision');
});

/** Four heads, which the convention for this width does not say, and the norms' epsilon of the built-in model. */
const heads = JSON.stringify({ num_attention_heads: 4, layer_norm_eps: 1e-12 });

async function stored(tensors: Renamed, config?: string): Promise<string> {
  return directoryOf({
    'model.safetensors': safetensorsBytes(tensors),
    ...(config !== undefined && { 'config.json': config }),
  });
}

function changed(tensors: Renamed, changes: Record<string, RawTensor | undefined>): Renamed {
  const all = new Map(tensors);
  for (const [name, tensor] of Object.entries(changes))
    if (tensor) all.set(name, tensor);
    else all.delete(name);
  return all;
}

function vector(values: Float32Array, shape: readonly number[] = [values.length]): RawTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

function wave(length: number, phase: number, size: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => size * Math.sin(0.7 * i + phase));
}

describe.each(['timm', 'torchvision'] as const)('the trained weights named as %s does', (name) => {
  const tensors = (): Renamed => (name === 'timm' ? timm : torchvision);

  it('give the logits they give in the naming they were trained in, and those of PyTorch', async () => {
    const { vit, scheme, notes } = await loadFolder(await stored(tensors(), heads));
    expect(scheme).toBe(name);
    expect(notes).toEqual([]);
    const logits = await logitsOf(bench, vit);
    expect(maxDifference(logits, await logitsOf(bench, bench.vit))).toBeLessThan(1e-4);
    expect(maxDifference(logits, bench.reference)).toBeLessThan(1e-3);
  });

  it('have the heads that are usual for their width where nothing says how many, and say so', async () => {
    const { vit, notes } = await loadFolder(await stored(tensors()));
    expect(vit.config.heads).toBe(2);
    expect(notes[0]).toMatch(/^2 attention heads of 64 are assumed/);
    // Of torchvision there is one way to read the tokens, of timm several that no tensor shows.
    expect(notes.slice(1).map((note) => note.includes('class token'))).toEqual(name === 'timm' ? [true] : []);
  });

  it.each(['module.', '_orig_mod.', 'timm_model.', '_orig_mod.module.'])(
    'are the same within what put "%s" before all names',
    async (wrapper) => {
      const wrapped = new Map([...tensors()].map(([own, tensor]) => [wrapper + own, tensor]));
      const { vit, scheme } = await loadFolder(await stored(wrapped, heads));
      expect(scheme).toBe(name);
      const plain = await loadFolder(await stored(tensors(), heads));
      expect([...vit.weights.keys()]).toEqual([...plain.vit.weights.keys()]);
      const [own, other] = [vit, plain.vit].map((each) => each.weights.get('layers.3.q.weight')!);
      expect(await own!.read()).toEqual(await other!.read());
    },
  );

  it('are refused by their type where they were quantised', async () => {
    const fc2 = name === 'timm' ? 'blocks.1.mlp.fc2.weight' : 'encoder.layers.encoder_layer_1.mlp.3.weight';
    const { shape, bytes } = tensors().get(fc2)!;
    const small = { dtype: 'F8_E4M3', shape, bytes: bytes.subarray(0, bytes.length / 4) };
    expect(
      await refusalOf(async () => loadFolder(await stored(changed(tensors(), { [fc2]: small }), heads))),
    ).toMatchObject({
      ...{ place: `tensor ${fc2}`, found: 'F8_E4M3' },
    });
  });

  it('are read one by one: none is before it is asked for', async () => {
    const directory = await stored(tensors(), heads);
    const { vit } = await loadFolder(directory);
    const { truncate } = await import('node:fs/promises');
    await truncate(`${directory}/model.safetensors`, 20_000);
    await expect(vit.weights.get('layers.3.q.weight')!.read()).rejects.toThrow(/the end of the file/);
  });

  it('are refused when a tensor is missing or misshapen', async () => {
    const norm = name === 'timm' ? 'norm.weight' : 'encoder.ln.weight';
    const missing = await stored(changed(tensors(), { [norm]: undefined }), heads);
    expect(await refusalOf(() => loadFolder(missing))).toMatchObject({
      place: `tensor ${norm}`,
      found: 'nothing',
      expected: 'shape [128]',
    });
    const short = await stored(changed(tensors(), { [norm]: vector(new Float32Array(64)) }), heads);
    expect(await refusalOf(() => loadFolder(short))).toMatchObject({
      found: 'shape [64]',
      expected: 'shape [128]',
    });
  });
});

describe('a checkpoint of timm', () => {
  it('has its LayerScale folded into the layers before it', async () => {
    const gamma = wave(128, 1, 0.5);
    const scales = Object.fromEntries(
      [0, 1, 2, 3].flatMap((layer) => [
        [`blocks.${layer}.ls1.gamma`, vector(gamma)],
        [`blocks.${layer}.ls2.gamma`, vector(gamma)],
      ]),
    );
    const { vit } = await loadFolder(await stored(changed(timm, scales), heads));
    for (const name of [linearName(1, 'o'), linearName(2, 'fc2')])
      for (const kind of ['weight', 'bias']) {
        const before = viewAs(await bench.vit.weights.get(`${name}.${kind}`)!.read(), Float32Array);
        const after = viewAs(await vit.weights.get(`${name}.${kind}`)!.read(), Float32Array);
        const width = before.length / 128;
        const expected = before.map((value, i) => Math.fround(value * gamma[Math.floor(i / width)]!));
        expect(after).toEqual(expected);
      }
  });

  it('has as many heads as its architecture, where nothing else says it', async () => {
    const config = {
      architecture: 'vit_large_patch16_224',
      model_args: { embed_dim: 128 },
      layer_norm_eps: 1e-12,
    };
    const { vit, notes } = await loadFolder(await stored(timm, JSON.stringify(config)));
    expect(vit.config.heads).toBe(16);
    expect(notes).toEqual([]);
  });

  it('may have positions of the patches alone: the class token gets none', async () => {
    const positions = viewAs(timm.get('pos_embed')!.bytes, Float32Array);
    const without = changed(timm, { pos_embed: vector(positions.slice(128), [1, 16, 128]) });
    const { vit } = await loadFolder(await stored(without, heads));
    const read = viewAs(await vit.weights.get('positions')!.read(), Float32Array);
    expect(read.length).toBe(positions.length);
    expect(new Set(read.subarray(0, 128))).toEqual(new Set([0]));
    expect(read.subarray(128)).toEqual(positions.slice(128));
  });

  it('takes zero for the biases of q, k and v where there are none', async () => {
    const without = Object.fromEntries(
      [0, 1, 2, 3].map((layer) => [`blocks.${layer}.attn.qkv.bias`, undefined]),
    );
    const { vit } = await loadFolder(await stored(changed(timm, without), heads));
    expect(new Set(await vit.weights.get('layers.0.k.bias')!.read())).toEqual(new Set([0]));
  });

  it.each([
    ['pre_logits.fc.weight', /tanh/],
    ['blocks.3.mlp.gate.weight', /the 4 blocks of a ViT/],
    ['patch_embed.norm.weight', /embed_norm_layer/],
    ['patch_embed.backbone.conv.weight', /hybrid/],
    ['rope.freqs', /rotary/],
    ['head.fc.weight', /one linear layer/],
    ['extra.weight', /the 4 blocks of a ViT/],
  ])('is refused for %s', async (tensor, expected) => {
    const directory = await stored(changed(timm, { [tensor]: vector(new Float32Array(4)) }), heads);
    const fault = await refusalOf(() => loadFolder(directory));
    expect(fault.place).toBe(`tensor ${tensor}`);
    expect(fault.expected).toMatch(expected);
  });

  it.each([
    [{ architecture: 'swin_tiny_patch4_window7_224' }, 'architecture'],
    [{ architecture: 'vit_base_patch16_224', global_pool: 'avg' }, 'global_pool'],
    [{ architecture: 'vit_base_patch16_224', model_args: { global_pool: 'avgmax' } }, 'global_pool'],
    [
      { architecture: 'vit_base_patch16_224', model_args: { global_pool: 'map' } },
      'tensor attn_pool.mlp.fc1.weight',
    ],
    [
      { architecture: 'vit_base_patch16_224', pretrained_cfg: { crop_mode: 'border' } },
      'pretrained_cfg.crop_mode',
    ],
    [{ model_args: { act_layer: 'prelu' } }, 'model_args.act_layer'],
    [{ model_args: { pre_norm: true } }, 'model_args.pre_norm'],
    [{ model_args: { reg_tokens: 4 } }, 'model_args.reg_tokens'],
    [{ model_args: { fc_norm: true } }, 'model_args.fc_norm'],
    [{ model_args: { use_rel_pos_bias: true } }, 'model_args.use_rel_pos_bias'],
    [{ model_args: { norm_layer: 'rmsnorm' } }, 'model_args.norm_layer'],
    [{ model_args: { embed_norm_layer: 'layernorm' } }, 'model_args.embed_norm_layer'],
    [{ model_args: { qk_norm: true } }, 'model_args.qk_norm'],
    [{ model_args: { class_token: false } }, 'model_args.class_token'],
    [{ model_args: { mlp_layer: 'swiglu' } }, 'model_args.mlp_layer'],
    [{ model_args: { something_new: 1 } }, 'model_args.something_new'],
    [{ model_args: { img_size: 64 } }, 'tensor pos_embed'],
    // These average over the tokens, and this one has its head on the class token.
    [{ architecture: 'vit_base_patch16_rpn_224' }, 'global_pool'],
    [{ architecture: 'vit_base_patch16_xp_224' }, 'architecture'],
    [{ pretrained_cfg: { std: [0, 0, 0] } }, 'pretrained_cfg.std.0'],
    [{ pretrained_cfg: { crop_pct: 1e-9 } }, 'pretrained_cfg.crop_pct'],
  ])('is refused for the configuration %j', async (config, place) => {
    const directory = await stored(timm, JSON.stringify({ ...config, num_attention_heads: 4 }));
    expect((await refusalOf(() => loadFolder(directory))).place).toBe(place);
  });
});

describe('a checkpoint of torchvision', () => {
  it('may have its head replaced by one layer', async () => {
    const replaced = changed(torchvision, {
      'heads.weight': torchvision.get('heads.head.weight')!,
      'heads.bias': torchvision.get('heads.head.bias')!,
      'heads.head.weight': undefined,
      'heads.head.bias': undefined,
    });
    const { vit } = await loadFolder(await stored(replaced, heads));
    expect(maxDifference(await logitsOf(bench, vit), bench.reference)).toBeLessThan(1e-3);
  });
});

describe('a distilled DeiT', () => {
  const distillation = {
    token: wave(128, 2, 0.3),
    position: wave(128, 3, 0.2),
    weight: wave(1280, 4, 0.4),
    bias: wave(10, 5, 1),
  };

  function inTimm(): Renamed {
    const positions = viewAs(timm.get('pos_embed')!.bytes, Float32Array);
    const longer = new Float32Array(positions.length + 128);
    longer.set(positions.subarray(0, 128));
    longer.set(distillation.position, 128);
    longer.set(positions.subarray(128), 256);
    return changed(timm, {
      pos_embed: vector(longer, [1, longer.length / 128, 128]),
      dist_token: vector(distillation.token, [1, 1, 128]),
      'head_dist.weight': vector(distillation.weight, [10, 128]),
      'head_dist.bias': vector(distillation.bias),
    });
  }

  it('averages the logits of its two heads, as a float64 forward does', async () => {
    const { vit } = await loadFolder(await stored(inTimm(), heads));
    expect(vit.config.distilled).toBe(true);
    const pixels = bench.pixels.slice(0, 3 * 3 * 32 * 32);
    const expected = await distilledLogits(bench.vit, distillation, pixels, 3, 1e-12);
    expect(maxDifference(await logitsOf(bench, vit, pixels), expected)).toBeLessThan(1e-4);
  });

  it('is the same model in the naming of Hugging Face', async () => {
    const tensors = await renamed(bench.vit, 'deit');
    const theirs = inTimm();
    const all = changed(tensors, {
      'deit.embeddings.position_embeddings': theirs.get('pos_embed')!,
      'deit.embeddings.distillation_token': theirs.get('dist_token')!,
      'cls_classifier.weight': tensors.get('classifier.weight')!,
      'cls_classifier.bias': tensors.get('classifier.bias')!,
      'distillation_classifier.weight': theirs.get('head_dist.weight')!,
      'distillation_classifier.bias': theirs.get('head_dist.bias')!,
      'classifier.weight': undefined,
      'classifier.bias': undefined,
    });
    const config = {
      ...{ model_type: 'deit', hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 4 },
      ...{ intermediate_size: 512, layer_norm_eps: 1e-12, image_size: 32, patch_size: 8 },
    };
    const deit = (await loadFolder(await stored(all, JSON.stringify(config)))).vit;
    const { vit } = await loadFolder(await stored(theirs, heads));
    expect(maxDifference(await logitsOf(bench, deit), await logitsOf(bench, vit))).toBe(0);
  });
});

it('refuses tensors of another model by their names', async () => {
  const directory = await stored(new Map([['features.0.weight', vector(new Float32Array(3))]]));
  const fault = await refusalOf(() => loadFolder(directory));
  expect(fault.found).toBe('tensors named like features.0.weight');
});
