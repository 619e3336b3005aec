import { layerPlaces, linearPlaces, type Place, type Scheme } from './scheme.js';

/**
 * ViT, DeiT and BEiT as timm names them, which is also how the authors of DeiT and BEiT did. LayerScale is folded into the layer
 * before it.
 *
 * @param has - whether the checkpoint has a tensor of that name
 */
export const timmScheme = (has: (name: string) => boolean): Scheme => ({
  name: 'timm',
  fixed: Object.fromEntries<Place>([
    ...linearPlaces('patch', 'patch_embed.proj'),
    ['cls', { tensor: 'cls_token' }],
    ['distillation', { tensor: 'dist_token' }],
    ['registers', { tensor: 'reg_token' }],
    ['positions', { tensor: 'pos_embed' }],
    ...layerPlaces('first_norm', 'norm_pre'),
    ['frequencies', { tensor: 'rope.freqs' }],
    ['pool.latent', { tensor: 'attn_pool.latent' }],
    ...linearPlaces('pool.q', 'attn_pool.q'),
    ...(['k', 'v'] as const).flatMap((role, index): [string, Place][] => [
      [`pool.${role}.weight`, { tensor: 'attn_pool.kv.weight', part: { index, of: 2 } }],
      [`pool.${role}.bias`, { tensor: 'attn_pool.kv.bias', part: { index, of: 2 } }],
    ]),
    ...layerPlaces('pool.o', 'attn_pool.proj'),
    ...layerPlaces('pool.norm', 'attn_pool.norm'),
    ...layerPlaces('pool.fc1', 'attn_pool.mlp.fc1'),
    ...layerPlaces('pool.fc2', 'attn_pool.mlp.fc2'),
    ...layerPlaces('norm', has('fc_norm.weight') ? 'fc_norm' : 'norm'),
  ]),
  block: (layer) => {
    const at = `blocks.${layer}`;
    // BEiT's queries and values have biases, its keys none.
    const apart = has('blocks.0.attn.q_bias');
    // An MLP of its own, or one for all blocks, that makes numbers of distances.
    const distances = has('shared_rel_pos.mlp.fc1.weight') ? 'shared_rel_pos.mlp' : `${at}.attn.rel_pos.mlp`;
    // EVA-02's are three layers, or one with biases of its own for queries and values.
    const separate = has('blocks.0.attn.q_proj.weight');
    const fused = (ours: string, index: number): [string, Place][] =>
      separate
        ? linearPlaces(ours, `${at}.attn.${ours}_proj`)
        : [
            [`${ours}.weight`, { tensor: `${at}.attn.qkv.weight`, part: { index, of: 3 } }],
            [
              `${ours}.bias`,
              apart
                ? { tensor: `${at}.attn.${ours}_bias`, optional: true }
                : { tensor: `${at}.attn.qkv.bias`, part: { index, of: 3 }, optional: true },
            ],
          ];
    const [scale1, scale2] = has('blocks.0.gamma_1')
      ? [`${at}.gamma_1`, `${at}.gamma_2`]
      : [`${at}.ls1.gamma`, `${at}.ls2.gamma`];
    return Object.fromEntries<Place>([
      ...layerPlaces('norm1', `${at}.norm1`),
      ...fused('q', 0),
      ...fused('k', 1),
      ...fused('v', 2),
      ...linearPlaces('o', `${at}.attn.proj`, { scale: scale1 }),
      ...layerPlaces('q_norm', `${at}.attn.q_norm`),
      ...layerPlaces('k_norm', `${at}.attn.k_norm`),
      ...layerPlaces('attention_norm', `${at}.attn.norm`),
      ...layerPlaces('mlp_norm', `${at}.mlp.norm`),
      ...layerPlaces('distances.fc1', `${distances}.fc1`),
      ...layerPlaces('distances.fc2', `${distances}.fc2`),
      ['distances', { tensor: `${at}.attn.relative_position_bias_table`, transposed: true }],
      ...layerPlaces('norm2', `${at}.norm2`),
      ...(has('blocks.0.mlp.fc1_g.weight')
        ? linearPlaces('fc1', `${at}.mlp.fc1_g`, { below: `${at}.mlp.fc1_x` })
        : linearPlaces('fc1', `${at}.mlp.fc1`)),
      ...linearPlaces('fc2', `${at}.mlp.fc2`, { scale: scale2 }),
    ]);
  },
  // What masked autoencoders are pretrained with, by the names of their authors.
  harmless: [/^mask_token$/, /^decoder_(embed|pos_embed|blocks|norm|pred)\b/],
  aside: [],
  headLike: /^(head|head_dist|classifier|fc)\b/,
  heads: [['head', 'head_dist'], ['head']],
  refused: [
    {
      pattern: /^pre_logits\./,
      expected: 'no layer between the last norm and the head (a tanh stands in it)',
    },
    {
      pattern: /^patch_embed\.backbone\./,
      expected:
        'one convolution that cuts the image itself into patches (this is a hybrid with a convolutional backbone)',
    },
    { pattern: /^patch_embed\.norm\./, expected: 'patches without a norm behind them (embed_norm_layer)' },
    {
      pattern: /\.mlp\.(w12|w3)\b/,
      expected: 'an MLP of two layers, fc1 and fc2, with nothing but an activation between them',
    },
    {
      pattern: /^blocks\.\d+\.(attn\.lambda|lambda_q|in_proj|in_norm)/,
      expected: 'blocks of one attention and one MLP, one behind the other',
    },
  ],
});
