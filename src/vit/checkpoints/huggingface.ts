import { layerPlaces, type Scheme } from './scheme.js';

/**
 * ViT and DeiT as Hugging Face Transformers names them, under the prefix that the class puts before the backbone: `vit.` and
 * `deit.` in classifiers, none in a backbone alone.
 */
function huggingFace(prefix: '' | 'vit.' | 'deit.', heads: Scheme['heads']): Scheme {
  return {
    name: 'Hugging Face',
    mark: `${prefix}embeddings.patch_embeddings.projection.weight`,
    fixed: Object.fromEntries([
      ...layerPlaces('patch', `${prefix}embeddings.patch_embeddings.projection`),
      ['cls', { tensor: `${prefix}embeddings.cls_token` }],
      ['distillation', { tensor: `${prefix}embeddings.distillation_token` }],
      ['positions', { tensor: `${prefix}embeddings.position_embeddings` }],
      ...layerPlaces('norm', `${prefix}layernorm`),
    ]),
    block: (layer) => {
      const at = `${prefix}encoder.layer.${layer}`;
      const projection = (ours: string, theirs: string): ReturnType<typeof layerPlaces> => [
        [`${ours}.weight`, { tensor: `${at}.attention.attention.${theirs}.weight` }],
        [`${ours}.bias`, { tensor: `${at}.attention.attention.${theirs}.bias`, optional: true }],
      ];
      return Object.fromEntries([
        ...layerPlaces('norm1', `${at}.layernorm_before`),
        ...projection('q', 'query'),
        ...projection('k', 'key'),
        ...projection('v', 'value'),
        ...layerPlaces('o', `${at}.attention.output.dense`),
        ...layerPlaces('norm2', `${at}.layernorm_after`),
        ...layerPlaces('fc1', `${at}.intermediate.dense`),
        ...layerPlaces('fc2', `${at}.output.dense`),
      ]);
    },
    inBlock: new RegExp(`^${prefix.replace('.', '\\.')}encoder\\.layer\\.`),
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
export const huggingFaceSchemes: readonly Scheme[] = [
  huggingFace('vit.', [['classifier']]),
  huggingFace('deit.', [['cls_classifier', 'distillation_classifier'], ['classifier']]),
  huggingFace('', []),
];
