import { defined } from '../../base/defined.js';
import { layerPlaces, linearPlaces, type Place, type Scheme } from './scheme.js';

/** What the classes of Transformers put before the names of a backbone; a backbone alone has nothing before them. */
const ROOTS = [
  ...['vit.', 'deit.', 'dinov2.', 'dinov2_with_registers.', 'beit.', 'data2vec_vision.', 'ijepa.'],
  ...['vision_model.', ''],
];

/** Names that the projection of patches has. */
const PATCHES = [
  'embeddings.patch_embeddings.projection',
  'embeddings.patch_embedding',
  'embeddings.patch_embeddings',
];

/** Names that the list of blocks has. */
const BLOCKS = ['layers', 'encoder.layer', 'encoder.layers', 'layer', 'model.layer'];

/** Inside a block: the names that a layer of EdgeFlex has in the models and versions of Transformers. */
const INSIDE = {
  norm1: ['layernorm_before', 'norm1', 'layer_norm1'],
  norm2: ['layernorm_after', 'norm2', 'layer_norm2'],
  q: ['attention.attention.query', 'attention.q_proj', 'self_attn.q_proj'],
  k: ['attention.attention.key', 'attention.k_proj', 'self_attn.k_proj'],
  v: ['attention.attention.value', 'attention.v_proj', 'self_attn.v_proj'],
  o: ['attention.output.dense', 'attention.o_proj', 'self_attn.out_proj'],
  fc1: ['intermediate.dense', 'mlp.fc1', 'mlp.weights_in', 'mlp.gate_proj', 'mlp.up_proj'],
  fc2: ['output.dense', 'mlp.fc2', 'mlp.weights_out', 'mlp.down_proj'],
} as const;

/** Names of the vectors of LayerScale, and of the tables of relative positions. */
const SCALES = {
  o: ['lambda_1', 'layer_scale1.lambda1'],
  fc2: ['lambda_2', 'layer_scale2.lambda1'],
} as const;
const TABLE = 'relative_position_bias.relative_position_bias_table';

/**
 * The naming of Hugging Face Transformers, in the words of the model and the version that wrote the file: ViT, DeiT, MSN, I-JEPA,
 * DINOv2, DINOv3, BEiT, Data2Vec, CLIP and SigLIP.
 *
 * @param has - whether the checkpoint has a tensor of that name
 * @returns undefined for a checkpoint in another naming
 */
export function huggingFaceScheme(has: (name: string) => boolean): Scheme | undefined {
  const first = (names: readonly string[], ending = ''): string =>
    defined(names.find((name) => has(name + ending)) ?? names[0], 'a name');
  const root = ROOTS.find((each) => PATCHES.some((name) => has(`${each}${name}.weight`)));
  if (root === undefined) return undefined;
  const within = (names: readonly string[]): string[] => names.map((name) => root + name);
  // Some versions write the blocks of some models without what stands before all other names.
  const norms = INSIDE.norm1.map((name) => `.0.${name}.weight`);
  const places = [...within(BLOCKS), ...BLOCKS];
  const blocks = places.find((name) => norms.some((norm) => has(name + norm))) ?? `${root}encoder.layer`;
  const names = Object.fromEntries(
    Object.entries(INSIDE).map(([ours, theirs]) => [
      ours,
      first(
        theirs.map((name) => `${blocks}.0.${name}`),
        '.weight',
      ).slice(`${blocks}.0.`.length),
    ]),
  ) as Record<keyof typeof INSIDE, string>;
  const scales = Object.fromEntries(
    Object.entries(SCALES).map(([ours, theirs]) => [ours, theirs.find((name) => has(`${blocks}.0.${name}`))]),
  );
  const shared = `${root}encoder.${TABLE}`;
  const table = ['attention.attention.', 'attention.', ''].find((name) => has(`${blocks}.0.${name}${TABLE}`));
  return {
    name: 'Hugging Face',
    fixed: Object.fromEntries<Place>([
      ...linearPlaces('patch', first(within(PATCHES), '.weight')),
      ['cls', { tensor: first(within(['embeddings.cls_token', 'embeddings.class_embedding'])) }],
      ['distillation', { tensor: `${root}embeddings.distillation_token` }],
      ['registers', { tensor: `${root}embeddings.register_tokens` }],
      [
        'positions',
        {
          tensor: first(within(['embeddings.position_embeddings', 'embeddings.position_embedding.weight'])),
        },
      ],
      ['pool.latent', { tensor: `${root}head.probe` }],
      ...(['q', 'k', 'v'] as const).flatMap((role, index): [string, Place][] => [
        [`pool.${role}.weight`, { tensor: `${root}head.attention.in_proj_weight`, part: { index, of: 3 } }],
        [`pool.${role}.bias`, { tensor: `${root}head.attention.in_proj_bias`, part: { index, of: 3 } }],
      ]),
      ...layerPlaces('pool.o', `${root}head.attention.out_proj`),
      ...layerPlaces('pool.norm', `${root}head.layernorm`),
      ...layerPlaces('pool.fc1', `${root}head.mlp.fc1`),
      ...layerPlaces('pool.fc2', `${root}head.mlp.fc2`),
      ...layerPlaces('first_norm', first(within(['pre_layrnorm', 'pre_layernorm']), '.weight')),
      ...layerPlaces(
        'norm',
        first(within(['layernorm', 'post_layernorm', 'pooler.layernorm', 'norm']), '.weight'),
      ),
      ['projection.weight', { tensor: 'visual_projection.weight' }],
    ]),
    block: (layer) => {
      const at = `${blocks}.${layer}`;
      return Object.fromEntries<Place>([
        ...Object.entries(names).flatMap(([ours, theirs]) => {
          if (ours.startsWith('norm')) return layerPlaces(ours, `${at}.${theirs}`);
          const scale = scales[ours];
          return linearPlaces(ours, `${at}.${theirs}`, {
            ...(scale !== undefined && { scale: `${at}.${scale}` }),
            ...(theirs === 'mlp.gate_proj' && { below: `${at}.mlp.up_proj` }),
          });
        }),
        ['distances', { tensor: has(shared) ? shared : `${at}.${table ?? ''}${TABLE}`, transposed: true }],
      ]);
    },
    // Mask token and decoder are for masked image modelling.
    harmless: [
      new RegExp(`^${escaped(root)}embeddings\\.(mask_token|position_ids)$`),
      /^decoder\.\d+\./,
      ...(root === 'vision_model.' || root === '' ? [new RegExp(`^${escaped(root)}post_layernorm\\.`)] : []),
    ],
    aside: [
      { pattern: /^(text_model\.|text_projection\.|logit_(scale|bias)$)/, what: 'the model of texts' },
      {
        pattern: /^visual_projection\./,
        what: 'the projection to where images and texts are compared, which a classifier of its own does without',
      },
      // BEiT has a norm of its own in front of what predicts masked patches.
      ...(root === 'beit.'
        ? [
            {
              pattern: /^(layernorm|lm_head)\./,
              what: 'what predicts masked patches, which classifiers do without',
            },
          ]
        : []),
      {
        pattern: new RegExp(`^${escaped(root)}pooler\\.dense\\.`),
        what: 'the pooler, a layer behind the class token that classifiers do without',
      },
      {
        pattern: new RegExp(`^${escaped(root)}head\\.(attention|layernorm|mlp|probe)\\b`),
        what: 'pooling by attention, which the classifier does not read',
      },
    ],
    headLike: /^(cls_|distillation_)?(classifier|head|fc)\b/,
    heads:
      root === ''
        ? []
        : root === 'deit.'
          ? [['cls_classifier', 'distillation_classifier'], ['classifier']]
          : [['classifier']],
    refused: [],
  };
}

function escaped(text: string): string {
  return text.replaceAll('.', '\\.');
}
