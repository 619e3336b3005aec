import type { TensorSource } from '../../onnx/tensor.js';
import { InputError } from '../../base/errors.js';
import type { Activation, Pooling, ViTConfig } from '../config.js';
import { placeIn, type Scheme } from './scheme.js';

/** What a configuration beside a checkpoint says that tensors do not show. */
export interface Told {
  readonly heads?: number;
  /** Side of the square input. */
  readonly imageSize?: number;
  readonly layerNormEpsilon?: number;
  /** What stands between fc1 and fc2, if not GELU; with gates, fc1 has twice as many rows as fc2 has columns. */
  readonly activation?: Activation;
  /** What the head reads, where it is not the class token. */
  readonly pooling?: Pooling;
  /** Whether the positions are those of the patches alone. */
  readonly positionsOfPatches?: boolean;
  /** Whether no norm stands behind the last block. */
  readonly noLastNorm?: boolean;
  /** Parts that tensors show, and whether the model is said to have them, by the name of the setting. */
  readonly parts?: Readonly<Record<string, { readonly part: Part; readonly has: boolean }>>;
  /** Class names in the order of the logits. */
  readonly labels?: readonly string[];
}

/** A part of a model that its tensors show. */
export type Part = 'cls' | 'registers' | 'first_norm' | 'q_norm' | 'positions' | 'distances' | 'pooled norm';

/** The same in words. */
const PARTS: Readonly<Record<Part, string>> = {
  cls: 'a class token',
  registers: 'register tokens',
  first_norm: 'a norm before the first block',
  q_norm: 'norms of queries and keys',
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
  const [hiddenSize, channels, patchSize] = patch as [number, number, number];
  if (patch[3] !== patchSize) throw refuse(patchWeight, `shape [${patch.join(', ')}]`, 'square patches');
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
  const relativePositions = inBlock('distances');
  const has: Readonly<Record<Part, boolean>> = {
    ...{ cls: there('cls'), registers: registers > 0, first_norm: there('first_norm.weight') },
    ...{ q_norm: inBlock('q_norm.weight'), positions: there('positions'), distances: relativePositions },
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
  const learned = there('positions') || !relativePositions;
  const positions = learned
    ? placeIn(scheme.fixed, 'positions').tensor
    : placeIn(scheme.block(0), 'distances').tensor;
  const { side, leading } = learned ? placed(dimsOf(positions, 3)) : distances(dimsOf(positions, 2));
  if (told.imageSize !== undefined && told.imageSize !== side * patchSize)
    throw refuse(
      positions,
      `the positions of images of ${side * patchSize} pixels`,
      `those of ${told.imageSize} pixels, as config.json says`,
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
    `${heads} attention heads of ${hiddenSize / heads} are assumed, as is usual for a width of ${hiddenSize}: tensors do not ` +
    'show it, and no config.json says it.';
  return {
    config: {
      ...{ imageSize: side * patchSize, patchSize, channels, hiddenSize, heads, mlpSizes, distilled },
      ...(!classToken && { classToken }),
      ...(registers > 0 && { registers }),
      ...(!learned && { positions: false }),
      ...(relativePositions && { relativePositions }),
      ...(has.first_norm && { firstNorm: true }),
      ...(has.q_norm && { queryKeyNorms: true }),
      ...(told.activation !== undefined && { activation: told.activation }),
      ...(pooling !== undefined && { pooling }),
      ...(poolSize !== undefined && { poolSize }),
      ...(told.noLastNorm ? { lastNorm: 'none' } : pooledNorm && { lastNorm: 'pooled' }),
      layerNormEpsilon: told.layerNormEpsilon ?? 1e-6,
      labels: classes === 0 ? [] : labels,
    },
    leadingPositions: leading,
    notes: told.heads === undefined ? [assumed] : [],
  };

  /** How many patches a side has whose positions are so many rows, and how many of these belong to tokens before the patches. */
  function placed([, count = 0]: readonly number[]): { side: number; leading: number } {
    const sideOf = (leading: number): number => Math.sqrt(count - leading);
    // timm has models whose positions are those of the patches alone (no_embed_class).
    const alone = scheme.name === 'timm' && told.positionsOfPatches !== false ? [0, prefix] : [prefix];
    const leading = (told.positionsOfPatches ? [0] : alone).find(
      (each) =>
        count > each &&
        Number.isInteger(sideOf(each)) &&
        (told.imageSize === undefined || alone.length === 1 || sideOf(each) * patchSize === told.imageSize),
    );
    const fits = leading ?? alone.find((each) => count > each && Number.isInteger(sideOf(each)));
    if (fits !== undefined) return { side: sideOf(fits), leading: fits };
    const before = prefix === 1 && classToken ? 'the class token' : `${prefix} tokens`;
    throw refuse(positions, `${count} positions`, `a square number of patches and ${before} before them`);
  }

  /** How many patches a side has between which there are so many distances (BEiT). */
  function distances([count = 0]: readonly number[]): { side: number; leading: number } {
    const side = (Math.sqrt(count - 3) + 1) / 2;
    if (count > 3 && Number.isInteger(side)) return { side, leading: 0 };
    throw refuse(positions, `${count} distances`, 'those between a square number of patches, and three more');
  }
}
