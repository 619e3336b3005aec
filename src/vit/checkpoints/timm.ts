import { layerPlaces, type Place, type Scheme } from './scheme.js';

/** ViT and DeiT as timm names them, which is also how DeiT's authors did. LayerScale is folded into the layer before it. */
export const timmScheme: Scheme = {
  name: 'timm',
  mark: 'patch_embed.proj.weight',
  fixed: Object.fromEntries([
    ...layerPlaces('patch', 'patch_embed.proj'),
    ['cls', { tensor: 'cls_token' }],
    ['distillation', { tensor: 'dist_token' }],
    ['positions', { tensor: 'pos_embed' }],
    ...layerPlaces('norm', 'norm'),
  ]),
  block: (layer) => {
    const at = `blocks.${layer}`;
    const fused = (ours: string, third: 0 | 1 | 2): [string, Place][] => [
      [`${ours}.weight`, { tensor: `${at}.attn.qkv.weight`, third }],
      [`${ours}.bias`, { tensor: `${at}.attn.qkv.bias`, third, optional: true }],
    ];
    return Object.fromEntries([
      ...layerPlaces('norm1', `${at}.norm1`),
      ...fused('q', 0),
      ...fused('k', 1),
      ...fused('v', 2),
      ...layerPlaces('o', `${at}.attn.proj`, { scale: `${at}.ls1.gamma` }),
      ...layerPlaces('norm2', `${at}.norm2`),
      ...layerPlaces('fc1', `${at}.mlp.fc1`),
      ...layerPlaces('fc2', `${at}.mlp.fc2`, { scale: `${at}.ls2.gamma` }),
    ]);
  },
  // What masked autoencoders are pretrained with, by the names of their authors.
  harmless: [/^mask_token$/, /^decoder_(embed|pos_embed|blocks|norm|pred)\b/],
  headLike: /^(head|head_dist|classifier|fc)\b/,
  heads: [['head', 'head_dist'], ['head']],
  refused: [
    {
      pattern: /^pre_logits\./,
      expected: 'no layer between the last norm and the head (a tanh stands in it)',
    },
    {
      pattern: /^fc_norm\./,
      expected: "the class token's norm before the head (this model averages all patches)",
    },
    {
      pattern: /^patch_embed\.backbone\./,
      expected:
        'one convolution that cuts the image itself into patches (this is a hybrid with a convolutional backbone)',
    },
    { pattern: /^patch_embed\.norm\./, expected: 'patches without a norm behind them (embed_norm_layer)' },
    { pattern: /(^|\.)rope\b/, expected: 'learned positions (this model has rotary ones)' },
    { pattern: /^norm_pre\./, expected: 'no norm before the first block' },
    { pattern: /^reg_token$/, expected: 'no register tokens' },
    { pattern: /\.attn\.(q|k)_norm\./, expected: 'attention without norms on queries and keys (qk_norm)' },
    { pattern: /\.attn\.norm\./, expected: 'attention without a norm before its output (scale_attn_norm)' },
    {
      pattern: /\.attn\.(q_bias|v_bias|relative_position_bias_table)$/,
      expected: 'a plain ViT (this is a BEiT)',
    },
    { pattern: /\.mlp\.(norm|fc1_g|fc1_x|w12)\b/, expected: 'an MLP of two layers with GELU between them' },
    { pattern: /^attn_pool\./, expected: 'a head on the class token (this model pools by attention)' },
  ],
};
