import { layerPlaces, type Place, type Scheme } from './scheme.js';

/** ViT as torchvision names it. */
export const torchvisionScheme: Scheme = {
  name: 'torchvision',
  fixed: Object.fromEntries([
    ...layerPlaces('patch', 'conv_proj'),
    ['cls', { tensor: 'class_token' }],
    ['positions', { tensor: 'encoder.pos_embedding' }],
    ...layerPlaces('norm', 'encoder.ln'),
  ]),
  block: (layer) => {
    const at = `encoder.layers.encoder_layer_${layer}`;
    const fused = (ours: string, index: number): [string, Place][] => [
      [`${ours}.weight`, { tensor: `${at}.self_attention.in_proj_weight`, part: { index, of: 3 } }],
      [`${ours}.bias`, { tensor: `${at}.self_attention.in_proj_bias`, part: { index, of: 3 } }],
    ];
    return Object.fromEntries([
      ...layerPlaces('norm1', `${at}.ln_1`),
      ...fused('q', 0),
      ...fused('k', 1),
      ...fused('v', 2),
      ...layerPlaces('o', `${at}.self_attention.out_proj`),
      ...layerPlaces('norm2', `${at}.ln_2`),
      ...layerPlaces('fc1', `${at}.mlp.0`),
      ...layerPlaces('fc2', `${at}.mlp.3`),
    ]);
  },
  harmless: [],
  aside: [],
  headLike: /^heads?\b/,
  heads: [['heads.head'], ['heads']],
  refused: [
    {
      pattern: /^heads\.pre_logits\./,
      expected: 'no layer between the last norm and the head (a tanh stands in it)',
    },
    { pattern: /^conv_proj\.\d/, expected: 'one convolution that cuts the patches, no stem of several' },
    {
      pattern: /\.mlp\.linear_[12]\./,
      expected:
        "the names of today's torchvision, mlp.0 and mlp.3: load the weights there and save them anew",
    },
  ],
};
