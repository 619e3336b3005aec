import { viewAs } from '../../src/onnx/tensor.js';
import { layerCount } from '../../src/vit/config.js';
import { weightOf, type ViT } from '../../src/vit/vit.js';
import type { RawTensor } from './checkpoint.js';

/** The tensors of a checkpoint, by another library's names. */
export type Renamed = ReadonlyMap<string, RawTensor>;

type Naming = 'timm' | 'torchvision' | 'deit';

/** How each library calls what EdgeFlex calls otherwise, written down from their own sources. */
const names: Record<Naming, { fixed: Record<string, string>; block: string; parts: Record<string, string> }> =
  {
    timm: {
      fixed: {
        patch: 'patch_embed.proj',
        cls: 'cls_token',
        positions: 'pos_embed',
        norm: 'norm',
        head: 'head',
      },
      block: 'blocks.',
      parts: {
        norm1: 'norm1',
        qkv: 'attn.qkv',
        o: 'attn.proj',
        norm2: 'norm2',
        fc1: 'mlp.fc1',
        fc2: 'mlp.fc2',
      },
    },
    torchvision: {
      fixed: {
        ...{ patch: 'conv_proj', cls: 'class_token', positions: 'encoder.pos_embedding' },
        ...{ norm: 'encoder.ln', head: 'heads.head' },
      },
      block: 'encoder.layers.encoder_layer_',
      parts: {
        ...{ norm1: 'ln_1', qkv: 'self_attention.in_proj_', o: 'self_attention.out_proj' },
        ...{ norm2: 'ln_2', fc1: 'mlp.0', fc2: 'mlp.3' },
      },
    },
    deit: {
      fixed: {
        patch: 'deit.embeddings.patch_embeddings.projection',
        cls: 'deit.embeddings.cls_token',
        positions: 'deit.embeddings.position_embeddings',
        norm: 'deit.layernorm',
        head: 'classifier',
      },
      block: 'deit.encoder.layer.',
      parts: {
        ...{
          norm1: 'layernorm_before',
          norm2: 'layernorm_after',
          fc1: 'intermediate.dense',
          fc2: 'output.dense',
        },
        ...{ q: 'attention.attention.query', k: 'attention.attention.key', v: 'attention.attention.value' },
        o: 'attention.output.dense',
      },
    },
  };

/**
 * The weights of a model as another library would have saved them.
 *
 * @param vit - a float32 model
 * @param naming - whose names
 */
export async function renamed(vit: ViT, naming: Naming): Promise<Renamed> {
  const { fixed, block, parts } = names[naming];
  const { hiddenSize, channels, patchSize } = vit.config;
  const out = new Map<string, RawTensor>();
  const floats = async (name: string): Promise<Float32Array> =>
    viewAs(await weightOf(vit, name).read(), Float32Array);
  const put = (name: string, shape: readonly number[], values: Float32Array): void => {
    out.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(values.slice().buffer) });
  };
  const layer = async (ours: string, theirs: string): Promise<void> => {
    put(`${theirs}.weight`, weightOf(vit, `${ours}.weight`).dims, await floats(`${ours}.weight`));
    put(`${theirs}.bias`, weightOf(vit, `${ours}.bias`).dims, await floats(`${ours}.bias`));
  };
  put(
    `${fixed['patch']!}.weight`,
    [hiddenSize, channels, patchSize.height, patchSize.width],
    await floats('patch.weight'),
  );
  put(`${fixed['patch']!}.bias`, [hiddenSize], await floats('patch.bias'));
  put(fixed['cls']!, [1, 1, hiddenSize], await floats('cls'));
  const positions = await floats('positions');
  put(fixed['positions']!, [1, positions.length / hiddenSize, hiddenSize], positions);
  await layer('norm', fixed['norm']!);
  await layer('head', fixed['head']!);
  for (let index = 0; index < layerCount(vit.config); index++) {
    for (const [ours, theirs] of Object.entries(parts)) {
      if (ours !== 'qkv') {
        await layer(`layers.${index}.${ours}`, `${block}${index}.${theirs}`);
        continue;
      }
      for (const kind of ['weight', 'bias']) {
        const thirds = await Promise.all(
          ['q', 'k', 'v'].map((each) => floats(`layers.${index}.${each}.${kind}`)),
        );
        const whole = new Float32Array(thirds.reduce((sum, { length }) => sum + length, 0));
        for (const [third, values] of thirds.entries()) whole.set(values, third * values.length);
        const shape = kind === 'weight' ? [3 * hiddenSize, hiddenSize] : [3 * hiddenSize];
        put(`${block}${index}.${theirs}${theirs.endsWith('_') ? '' : '.'}${kind}`, shape, whole);
      }
    }
  }
  return out;
}
