import { layerPlaces, linearPlaces, type Place, type Scheme } from './scheme.js';

/** The image tower of open_clip, as its class `VisionTransformer` names it within a model of images and texts. */
export const openClipScheme: Scheme = {
  name: 'open_clip',
  fixed: Object.fromEntries<Place>([
    ...linearPlaces('patch', 'visual.conv1'),
    ['cls', { tensor: 'visual.class_embedding' }],
    ['positions', { tensor: 'visual.positional_embedding' }],
    ...layerPlaces('first_norm', 'visual.ln_pre'),
    ...layerPlaces('norm', 'visual.ln_post'),
    ['projection.weight', { tensor: 'visual.proj', transposed: true }],
  ]),
  block: (layer) => {
    const at = `visual.transformer.resblocks.${layer}`;
    const fused = (ours: string, index: number): [string, Place][] => [
      [`${ours}.weight`, { tensor: `${at}.attn.in_proj_weight`, part: { index, of: 3 } }],
      [`${ours}.bias`, { tensor: `${at}.attn.in_proj_bias`, part: { index, of: 3 } }],
    ];
    return Object.fromEntries<Place>([
      ...layerPlaces('norm1', `${at}.ln_1`),
      ...fused('q', 0),
      ...fused('k', 1),
      ...fused('v', 2),
      ...linearPlaces('o', `${at}.attn.out_proj`, { scale: `${at}.ls_1.gamma` }),
      ...layerPlaces('norm2', `${at}.ln_2`),
      ...linearPlaces('fc1', `${at}.mlp.c_fc`),
      ...linearPlaces('fc2', `${at}.mlp.c_proj`, { scale: `${at}.ls_2.gamma` }),
    ]);
  },
  harmless: [],
  aside: [
    {
      pattern:
        /^(text\.|transformer\.|token_embedding\.|positional_embedding$|ln_final\.|text_projection|logit_(scale|bias)$)/,
      what: 'the model of texts',
    },
  ],
  headLike: /^(head|classifier|fc)\b/,
  heads: [],
  refused: [
    { pattern: /^visual\.attn_pool\./, expected: 'the class token (this model pools by attention)' },
    {
      pattern: /\.attn\.ln\.|\.mlp\.ln\.|\.(ln_attn|ln_inner)\./,
      expected: 'blocks without norms within attention and MLP',
    },
  ],
};
