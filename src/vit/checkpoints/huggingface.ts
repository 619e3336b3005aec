import { layerPlaces, type Place, type Scheme } from './scheme.js';

type Prefix = '' | 'vit.' | 'deit.';

/** Names inside a block: where a layer of EdgeFlex lies. */
type BlockNames = Readonly<Record<'norm1' | 'q' | 'k' | 'v' | 'o' | 'norm2' | 'fc1' | 'fc2', string>>;

/** As versions before 5 of Transformers name what is in a block. */
const before5: BlockNames = {
  ...{ norm1: 'layernorm_before', norm2: 'layernorm_after' },
  ...{ q: 'attention.attention.query', k: 'attention.attention.key', v: 'attention.attention.value' },
  ...{ o: 'attention.output.dense', fc1: 'intermediate.dense', fc2: 'output.dense' },
};

/** As version 5 does. */
const since5: BlockNames = {
  ...{ norm1: 'layernorm_before', norm2: 'layernorm_after' },
  ...{ q: 'attention.q_proj', k: 'attention.k_proj', v: 'attention.v_proj' },
  ...{ o: 'attention.o_proj', fc1: 'mlp.fc1', fc2: 'mlp.fc2' },
};

/**
 * ViT and DeiT as Hugging Face Transformers names them, under the prefix that the class puts before the backbone: `vit.` and
 * `deit.` in classifiers, none in a backbone alone.
 */
function huggingFace(prefix: Prefix, heads: Scheme['heads'], version: 4 | 5): Scheme {
  const patch = `${prefix}embeddings.patch_embeddings.projection`;
  const blocks = version === 5 ? `${prefix}layers` : `${prefix}encoder.layer`;
  const names = version === 5 ? since5 : before5;
  return {
    name: 'Hugging Face',
    mark: version === 5 ? `${blocks}.0.${names.q}.weight` : `${patch}.weight`,
    fixed: Object.fromEntries([
      ...layerPlaces('patch', patch),
      ['cls', { tensor: `${prefix}embeddings.cls_token` }],
      ['distillation', { tensor: `${prefix}embeddings.distillation_token` }],
      ['positions', { tensor: `${prefix}embeddings.position_embeddings` }],
      ...layerPlaces('norm', `${prefix}layernorm`),
    ]),
    block: (layer) =>
      Object.fromEntries(
        Object.entries(names).flatMap(([ours, theirs]): [string, Place][] => {
          const at = `${blocks}.${layer}.${theirs}`;
          return [
            [`${ours}.weight`, { tensor: `${at}.weight` }],
            [`${ours}.bias`, { tensor: `${at}.bias`, ...(/^[qkv]$/.test(ours) && { optional: true }) }],
          ];
        }),
      ),
    // The pooler is not what the classifier reads; mask token and decoder are for masked image modelling.
    harmless: [
      new RegExp(`^${prefix.replace('.', '\\.')}(pooler\\.|embeddings\\.(mask_token|position_ids)$)`),
      /^decoder\.\d+\./,
    ],
    headLike: /^(cls_|distillation_)?(classifier|head|fc)\b/,
    heads,
    refused: [
      {
        pattern: /relative_position_bias|\.lambda_[12]$/,
        expected: 'a plain ViT: no relative positions and no LayerScale',
      },
    ],
  };
}

/** The namings of Hugging Face Transformers. A DeiT has two classifiers when it was distilled, and one otherwise. */
export const huggingFaceSchemes: readonly Scheme[] = ([5, 4] as const).flatMap((version) => [
  huggingFace('vit.', [['classifier']], version),
  huggingFace('deit.', [['cls_classifier', 'distillation_classifier'], ['classifier']], version),
  huggingFace('', [], version),
]);
