import type { TensorSource } from '../../onnx/tensor.js';
import { InputError } from '../../base/errors.js';
import { area, divided, isWhole, sameSize, sizeText, square, type Size } from '../../base/size.js';
import type { Activation, Pooling, ViTConfig } from '../config.js';
import type { RotaryRule } from '../rotary.js';
import { placeIn, projectionOf, type Scheme } from './scheme.js';

/** What a configuration beside a checkpoint says that tensors do not show. */
export interface Told {
  readonly heads?: number;
  /** Sides of the input. */
  readonly imageSize?: Size;
  /** The same for a model that takes any; what was trained with. */
  readonly usualImageSize?: Size;
  readonly layerNormEpsilon?: number;
  /** What stands between fc1 and fc2, if not GELU; with gates, fc1 has twice as many rows as fc2 has columns. */
  readonly activation?: Activation;
  /** What the head reads, where it is not the class token. */
  readonly pooling?: Pooling;
  /** Whether the positions are those of the patches alone. */
  readonly positionsOfPatches?: boolean;
  /** How queries and keys are rotated; undefined where they are not. */
  readonly rotary?: RotaryRule;
  /** Heads of pooling by attention, where they are not as many as those of the blocks. */
  readonly poolHeads?: number;
  /** Whether the norms of the blocks stand behind attention and MLP, which no tensor shows. */
  readonly resPostNorm?: boolean;
  /** Whether no norm stands behind the last block. */
  readonly noLastNorm?: boolean;
  /** Parts that tensors show, and whether the model is said to have them, by the name of the setting. */
  readonly parts?: Readonly<Record<string, { readonly part: Part; readonly has: boolean }>>;
  /** Class names in the order of the logits. */
  readonly labels?: readonly string[];
}

/** A part of a model that its tensors show. */
export type Part =
  | 'cls'
  | 'registers'
  | 'first_norm'
  | 'q_norm'
  | 'attention_norm'
  | 'mlp_norm'
  | 'positions'
  | 'distances'
  | 'pooled norm';

/** The same in words. */
const PARTS: Readonly<Record<Part, string>> = {
  cls: 'a class token',
  registers: 'register tokens',
  first_norm: 'a norm before the first block',
  q_norm: 'norms of queries and keys',
  attention_norm: 'norms behind attention',
  mlp_norm: 'norms within the MLPs',
  positions: 'learned positions',
  distances: 'relative positions',
  'pooled norm': 'a norm behind the average (fc_norm)',
};

/** An architecture that was read off a checkpoint's tensors. */
export interface InferredArchitecture {
  readonly config: ViTConfig;
  /** Rows of the table of positions that belong to tokens before the patches. */
  readonly leadingPositions: number;
  /** What was assumed, because nothing says it. */
  readonly notes: readonly string[];
}

/** Widths whose heads are not 64 wide, by who defined them: ViT-Huge, ViT-giant, ViT-gigantic, SoViT-400M. */
const WIDE_HEADS: Readonly<Record<number, number>> = { 1280: 16, 1408: 16, 1664: 16, 1152: 16 };

/**
 * Reads a model's architecture off the shapes of its tensors.
 *
 * @param source - the file, for messages
 * @param tensors - the checkpoint
 * @param scheme - how it names them
 * @param told - what is known besides
 * @param classes - rows of the classifier; 0 where there is none
 * @throws InputError when a tensor is missing or the shapes are those of no ViT
 */
export function inferArchitecture(
  source: string,
  tensors: ReadonlyMap<string, TensorSource>,
  scheme: Scheme,
  told: Told,
  classes: number,
): InferredArchitecture {
  const refuse = (tensor: string, found: string, expected: string): InputError =>
    new InputError({ source, place: `tensor ${tensor}`, found, expected });
  const dimsOf = (tensor: string, rank: number): readonly number[] => {
    const dims = tensors.get(tensor)?.dims;
    if (dims?.length === rank && dims.every((dim) => dim > 0)) return dims;
    throw refuse(
      tensor,
      dims ? `shape [${dims.join(', ')}]` : 'nothing',
      `a tensor of ${rank} dimensions, none of them 0`,
    );
  };
  const patchWeight = placeIn(scheme.fixed, 'patch.weight').tensor;
  const patch = dimsOf(patchWeight, 4);
  const [hiddenSize, channels, ...patchSides] = patch as [number, number, number, number];
  const patchSize: Size = { height: patchSides[0], width: patchSides[1] };
  const mlpSizes: number[] = [];
  for (let layer = 0; tensors.has(placeIn(scheme.block(layer), 'norm1.weight').tensor); layer++) {
    const [, neurons = 0] = dimsOf(placeIn(scheme.block(layer), 'fc2.weight').tensor, 2);
    mlpSizes.push(neurons);
  }
  const there = (name: string): boolean => {
    const tensor = scheme.fixed[name]?.tensor;
    return tensor !== undefined && tensors.has(tensor);
  };
  const inBlock = (name: string): boolean => {
    const tensor = scheme.block(0)[name]?.tensor;
    return tensor !== undefined && tensors.has(tensor);
  };
  const pooledNorm = placeIn(scheme.fixed, 'norm.weight').tensor.startsWith('fc_norm');
  // Where nothing says what the head reads, a norm of its own (timm's fc_norm) says that it reads an average.
  const pooling = told.pooling ?? (pooledNorm && told.parts === undefined ? 'patches' : undefined);
  const [poolSize] = /attention$/.test(pooling ?? '')
    ? dimsOf(placeIn(scheme.fixed, 'pool.fc1.weight').tensor, 2)
    : [];
  // Where the head reads the class token, one must be there.
  const classToken = there('cls') || pooling === undefined;
  const distilled = there('distillation');
  const [, registers = 0] = there('registers') ? dimsOf(placeIn(scheme.fixed, 'registers').tensor, 3) : [];
  const prefix = (classToken ? 1 : 0) + (distilled ? 1 : 0) + registers;
  const madeDistances = inBlock('distances.fc1.weight');
  const relativePositions = inBlock('distances') || madeDistances;
  const has: Readonly<Record<Part, boolean>> = {
    ...{ cls: there('cls'), registers: registers > 0, first_norm: there('first_norm.weight') },
    ...{ q_norm: inBlock('q_norm.weight'), positions: there('positions'), distances: relativePositions },
    ...{ attention_norm: inBlock('attention_norm.weight'), mlp_norm: inBlock('mlp_norm.weight') },
    ...{ 'pooled norm': pooledNorm },
  };
  for (const [setting, { part, has: said }] of Object.entries(told.parts ?? {}))
    if (has[part] !== said)
      throw new InputError({
        source,
        place: setting,
        found: `a config.json ${said ? 'with' : 'without'} ${PARTS[part]}, and tensors ${has[part] ? 'with' : 'without'}`,
        expected: 'a configuration that belongs to the weights',
      });
  // CLIP's: neither its epsilon nor which GELU it has is shown by any tensor.
  if (has.first_norm && told.parts === undefined && told.layerNormEpsilon === undefined)
    throw refuse(
      placeIn(scheme.fixed, 'first_norm.weight').tensor,
      'a norm before the first block, as CLIP has it, and nothing that says which epsilon and which GELU there are',
      'a config.json beside it that names the architecture',
    );
  const projection = classes > 0 ? undefined : projectionOf(scheme, tensors);
  const { rotary } = told;
  // Gates in a layer of their own, and queries apart from keys, are EVA-02's: that it rotates them no tensor shows.
  const turned = ['blocks.0.mlp.fc1_g.weight', 'blocks.0.attn.q_proj.weight'].find((name) =>
    tensors.has(name),
  );
  if (turned !== undefined && rotary === undefined)
    throw refuse(
      turned,
      'a model of the kind that rotates its queries and keys, and nothing that says how',
      'rotary positions that a config.json beside it names, by the architecture',
    );
  if (there('frequencies') && rotary?.kind !== 'learned')
    throw refuse(
      placeIn(scheme.fixed, 'frequencies').tensor,
      'learned frequencies, and nothing that says what they rotate',
      'rotary positions that a config.json beside it names, by the architecture',
    );
  const learned = there('positions') || !(relativePositions || rotary);
  const positions = learned
    ? placeIn(scheme.fixed, 'positions').tensor
    : placeIn(scheme.block(0), 'distances').tensor;
  const { grid, leading } = learned
    ? placed(scheme.name === 'open_clip' ? [1, ...dimsOf(positions, 2)] : dimsOf(positions, 3))
    : relativePositions && !madeDistances
      ? distances(dimsOf(positions, 2))
      : { grid: gridSaid(), leading: 0 };
  const imageSize = { height: grid.height * patchSize.height, width: grid.width * patchSize.width };
  if (told.imageSize !== undefined && !sameSize(told.imageSize, imageSize))
    throw refuse(
      positions,
      `the positions of images of ${sizeText(imageSize)} pixels`,
      `those of ${sizeText(told.imageSize)} pixels, as config.json says`,
    );
  const heads = told.heads ?? WIDE_HEADS[hiddenSize] ?? hiddenSize / 64;
  if (!Number.isInteger(heads) || heads < 1 || hiddenSize % heads !== 0)
    throw new InputError({
      source,
      place: 'number of attention heads',
      found:
        told.heads === undefined ? `nothing that says it, and a width of ${hiddenSize}` : String(told.heads),
      expected: 'a divisor of the width',
      hint: 'Put a config.json with "num_attention_heads" beside the weights.',
    });
  const labels = told.labels ?? Array.from({ length: classes }, (_, index) => `class ${index}`);
  if (labels.length !== classes && classes > 0)
    throw new InputError({
      source,
      place: 'classifier',
      found: `${classes} classes`,
      expected: `the ${labels.length} that config.json says`,
    });
  const assumed =
    `${heads} attention heads of ${hiddenSize / heads} are assumed, the usual number for a width of ${hiddenSize}: tensors do not ` +
    'show it, and no config.json says it.';
  const readAs =
    `The head is taken to read ${pooling === undefined ? 'the class token' : 'the mean of the patches'}, and GELU to be exact: tensors do ` +
    'not show it, and no config.json says it.';
  return {
    config: {
      ...{ imageSize, patchSize, channels, hiddenSize, heads, mlpSizes, distilled },
      ...(!classToken && { classToken }),
      ...(registers > 0 && { registers }),
      ...(!learned && { positions: false }),
      ...(relativePositions && { relativePositions }),
      ...(rotary && { rotary: rotary.kind === 'learned' ? 'per-head' : 'shared' }),
      ...(has.attention_norm && { attentionNorm: true }),
      ...(has.mlp_norm && { mlpNorm: true }),
      ...(told.resPostNorm && { resPostNorm: true }),
      ...(has.first_norm && { firstNorm: true }),
      ...(has.q_norm && { queryKeyNorms: true }),
      ...(told.activation !== undefined && { activation: told.activation }),
      ...(pooling !== undefined && { pooling }),
      ...(poolSize !== undefined && { poolSize }),
      ...(poolSize !== undefined && told.poolHeads !== undefined && { poolHeads: told.poolHeads }),
      ...(told.noLastNorm ? { lastNorm: 'none' } : pooledNorm && { lastNorm: 'pooled' }),
      ...(projection !== undefined && { projection }),
      layerNormEpsilon: told.layerNormEpsilon ?? 1e-6,
      labels: classes === 0 ? [] : labels,
    },
    leadingPositions: leading,
    notes: [
      ...(told.heads === undefined ? [assumed] : []),
      ...(scheme.name === 'timm' && told.parts === undefined ? [readAs] : []),
    ],
  };

  /** The grid of patches whose positions are so many rows, and how many of these belong to tokens before the patches. */
  function placed([, count = 0]: readonly number[]): { grid: Size; leading: number } {
    const gridFor = (leading: number): Size | undefined => gridOf(count - leading);
    // timm has models whose positions are those of the patches alone (no_embed_class).
    const alone = scheme.name === 'timm' && told.positionsOfPatches !== false ? [0, prefix] : [prefix];
    for (const leading of told.positionsOfPatches ? [0] : alone) {
      const grid = gridFor(leading);
      if (grid === undefined) continue;
      const { imageSize: said } = told;
      if (said === undefined || alone.length === 1 || sameSize(divided(said, patchSize), grid))
        return { grid, leading };
    }
    for (const leading of alone) {
      const grid = gridFor(leading);
      if (grid) return { grid, leading };
    }
    const before = prefix === 1 && classToken ? 'the class token' : `${prefix} tokens`;
    const patches = saidGrid();
    const many = patches === undefined ? 'a square number of patches' : `${area(patches)} patches`;
    throw refuse(positions, `${count} positions`, `${many} and ${before} before them`);
  }

  /** The grid of so many patches: the one that the configuration speaks of where it has as many, and otherwise a square. */
  function gridOf(patches: number): Size | undefined {
    const said = saidGrid();
    if (said !== undefined && area(said) === patches) return said;
    const side = Math.sqrt(patches);
    return patches > 0 && Number.isInteger(side) ? square(side) : undefined;
  }

  /** The grid of patches of the images that the configuration speaks of; undefined where it speaks of none, or patches do not divide them. */
  function saidGrid(): Size | undefined {
    const size = told.imageSize ?? told.usualImageSize;
    const grid = size && divided(size, patchSize);
    return grid && isWhole(grid) ? grid : undefined;
  }

  /** The same of a model none of whose tensors shows it. */
  function gridSaid(): Size {
    const grid = saidGrid();
    if (grid) return grid;
    const size = told.imageSize ?? told.usualImageSize;
    throw new InputError({
      source,
      place: 'size of the images',
      found:
        size === undefined ? 'nothing that says it, and no learned positions' : `${sizeText(size)} pixels`,
      expected: `a multiple of ${sizeText(patchSize)}, the size of a patch`,
      hint: 'Put "model_args": { "img_size": … } into its config.json.',
    });
  }

  /** The grid of patches between which there are so many distances (BEiT). */
  function distances([count = 0]: readonly number[]): { grid: Size; leading: number } {
    const said = saidGrid();
    if (said && (2 * said.height - 1) * (2 * said.width - 1) + 3 === count) return { grid: said, leading: 0 };
    const side = (Math.sqrt(count - 3) + 1) / 2;
    if (count > 3 && Number.isInteger(side)) return { grid: square(side), leading: 0 };
    throw refuse(positions, `${count} distances`, 'those between a square number of patches, and three more');
  }
}
