import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import { area, type Size } from '../../base/size.js';
import { elementCount, float32, type TensorSource } from '../../onnx/tensor.js';
import { featureWidth, gridOf, headWidth, prefixTokens, type ViTConfig } from '../config.js';
import { checkRotaryHeads, learnedAngles, rotaryAngles, withHalves, type RotaryRule } from '../rotary.js';
import { weightShapes, type ViT } from '../vit.js';
import { inferArchitecture } from './config.js';
import { readHuggingFaceConfig } from './huggingface-config.js';
import { huggingFaceScheme } from './huggingface.js';
import { readJson } from './json.js';
import { openClipScheme } from './open-clip.js';
import { readOpenClipConfig } from './open-clip-config.js';
import { distancesAsTransformersReads, laidOutPositions, type Resampling } from './positions.js';
import { placeIn, projectionOf, type Place, type Scheme, type SchemeName } from './scheme.js';
import { asFloat32, readCheckpointTensors, type CheckpointTensors } from './tensors.js';
import {
  averagedHeads,
  computed,
  floats,
  poolScores,
  scaledRows,
  stackedRows,
  transposed,
  zeros,
} from '../derived.js';
import { madeDistances } from '../distances.js';
import { readTimmConfig, type TimmImages } from './timm-config.js';
import { timmScheme } from './timm.js';
import { torchvisionScheme } from './torchvision.js';
import { accountForUnused } from './unused.js';

/** A checkpoint as it was loaded. A backbone without a classifier has no labels. */
export interface Checkpoint {
  readonly vit: ViT;
  /** Whose names the tensors have. */
  readonly scheme: SchemeName;
  /** What was assumed, because nothing says it, and what was left out. */
  readonly notes: readonly string[];
  /** What timm's configuration says of the images; undefined where there is none. */
  readonly images: TimmImages | undefined;
}

const WITHOUT_NORM =
  'The mean of the patches passes through a LayerNorm without weights: the file has none, and Transformers begins with such a one.';

/** Tensors by which the namings are recognised, the last parts of their names. */
const MARKS = [
  ...['embeddings.patch_embeddings.projection.weight', 'embeddings.patch_embedding.weight'],
  'embeddings.patch_embeddings.weight',
  ...['patch_embed.proj.weight', 'conv_proj.weight', 'visual.conv1.weight'],
];

/** How a checkpoint names its tensors; undefined when in no way that is known. */
function schemeOf(tensors: ReadonlyMap<string, TensorSource>): Scheme | undefined {
  const has = (name: string): boolean => tensors.has(name);
  const huggingFace = huggingFaceScheme(has);
  if (huggingFace !== undefined) return huggingFace;
  if (has('patch_embed.proj.weight') || has('patch_embed.backbone.conv.weight')) return timmScheme(has);
  if (has('visual.conv1.weight')) return openClipScheme;
  return has('conv_proj.weight') ? torchvisionScheme : undefined;
}

/**
 * Loads a ViT or one of its relatives in F64, F32, F16 or BF16, in the naming of Hugging Face Transformers (which needs a `config.json`),
 * timm (`config.json` as on the Hub, or none), torchvision (which has none) or open_clip (`open_clip_config.json`). The naming is recognised from the names.
 *
 * @param weights - the `.safetensors` file, or the index of its shards
 * @param config - the `config.json` that belongs to it; undefined where there is none
 * @param wanted - sides of the images that it is to be given, where something beside the weights says so: models that resample their
 *   positions take other sizes than they were trained with
 * @returns the model in float32; tensors are read from disk when they are needed
 * @throws InputError when a file is missing or malformed, the architecture is none that is known, or a tensor is missing or misshapen
 */
export async function loadCheckpoint(
  weights: string,
  config: string | undefined,
  wanted?: Size,
): Promise<Checkpoint> {
  const checkpoint = await readCheckpointTensors(weights);
  const { source, tensors } = checkpoint;
  const scheme = schemeOf(tensors);
  if (scheme === undefined) throw await foreign(checkpoint, config);
  refuseForeign(source, tensors, scheme);
  refuseSmallFloats(checkpoint);
  const heads = scheme.heads.find((set) => set.every((head) => tensors.has(`${head}.weight`))) ?? [];
  const [head] = heads;
  const classes = head === undefined ? 0 : classesOf(source, `${head}.weight`, tensors);
  if (scheme.name === 'Hugging Face') {
    const distilled = tensors.has(placeIn(scheme.fixed, 'distillation').tensor);
    const mlpSizes = mlpSizesOf(scheme, tensors);
    const projection = classes > 0 ? undefined : projectionOf(scheme, tensors);
    const read = await readHuggingFaceConfig(source, config, {
      ...{ classes, distilled, mlpSizes, projection },
      imageSize: wanted,
    });
    const { vit, notes } = assemble(checkpoint, scheme, read.config, heads, {
      rotary: read.rotary,
      resampling: read.resampling,
      leading: prefixTokens({ ...read.config, registers: 0 }),
      needed: (role) =>
        /^[qkv]$/.test(role) ? read.qkvBias && !(read.keysWithoutBias && role === 'k') : true,
    });
    return { vit, scheme: scheme.name, notes, images: undefined };
  }
  const { told, images } =
    scheme.name === 'open_clip' ? await readOpenClipConfig(source, config) : await readTimmConfig(config);
  const {
    config: architecture,
    leadingPositions,
    notes,
  } = inferArchitecture(source, tensors, scheme, told, classes);
  const made = assemble(checkpoint, scheme, architecture, heads, {
    rotary: told.rotary,
    resampling: undefined,
    leading: leadingPositions,
    needed: () => false,
  });
  return { vit: made.vit, scheme: scheme.name, notes: [...notes, ...made.notes], images };
}

/** The neurons of each block's MLP, as wide as fc2's weight. */
function mlpSizesOf(scheme: Scheme, tensors: ReadonlyMap<string, TensorSource>): number[] {
  const sizes: number[] = [];
  for (;;) {
    const tensor = tensors.get(placeIn(scheme.block(sizes.length), 'fc2.weight').tensor);
    const [, neurons] = tensor?.dims ?? [];
    if (neurons === undefined) return sizes;
    sizes.push(neurons);
  }
}

/** The rows of a classifier. */
function classesOf(source: string, name: string, tensors: ReadonlyMap<string, TensorSource>): number {
  const { dims } = defined(tensors.get(name), `tensor ${name}`);
  const [classes = 0, width = 0] = dims;
  if (dims.length === 2 && classes > 0 && width > 0) return classes;
  throw new InputError({
    source,
    place: `tensor ${name}`,
    found: `shape [${dims.join(', ')}]`,
    expected: 'a classifier [classes, hidden size]',
  });
}

/** What a configuration calls a model. */
const kindSchema = z.object({ model_type: z.string().optional(), architecture: z.string().optional() });

/** Why a checkpoint in no naming that is known is refused. */
async function foreign(
  { source, tensors }: CheckpointTensors,
  config: string | undefined,
): Promise<InputError> {
  const kind = kindSchema.safeParse(config && (await readJson(config, 'a configuration'))).data;
  const called = kind?.model_type ?? kind?.architecture;
  const names = `tensors named like ${[...tensors.keys()].slice(0, 3).join(', ') || 'nothing'}`;
  return new InputError({
    source,
    found: called === undefined ? names : `${names} (config.json calls it ${called})`,
    expected: `a ViT or one of its relatives as Hugging Face Transformers, timm, torchvision or open_clip name it (one of ${MARKS.join(', ')})`,
  });
}

/** What tensors do not show. */
interface Assembly {
  /** How queries and keys are rotated; undefined where they are not. */
  readonly rotary: RotaryRule | undefined;
  readonly resampling: Resampling | undefined;
  /** Rows of the table of positions that belong to tokens before the patches. */
  readonly leading: number;
  /** Whether the bias of a linear of the blocks must be there. */
  readonly needed: (role: string) => boolean;
}

/**
 * @param heads - names of the classifiers
 */
function assemble(
  checkpoint: CheckpointTensors,
  scheme: Scheme,
  config: ViTConfig,
  heads: readonly string[],
  { rotary, resampling, leading, needed }: Assembly,
): { readonly vit: ViT; readonly notes: readonly string[] } {
  const { source, tensors } = checkpoint;
  if (rotary) checkRotaryHeads(source, config);
  const used = new Set<string>();
  const takeIfThere = (tensor: string, dims: readonly number[]): TensorSource | undefined =>
    tensors.has(tensor) ? take(tensor, dims) : undefined;
  const take = (tensor: string, dims: readonly number[]): TensorSource => {
    const found = tensors.get(tensor);
    if (found === undefined || significant(found.dims) !== significant(dims))
      throw new InputError({
        source,
        place: `tensor ${tensor}`,
        found: found === undefined ? 'nothing' : `shape [${found.dims.join(', ')}]`,
        expected: `shape [${dims.join(', ')}]`,
      });
    used.add(tensor);
    return found;
  };
  const positions = (tensor: string): TensorSource => {
    const { hiddenSize } = config;
    const grid = gridOf(config);
    const rows = tensors.get(tensor)?.dims.at(-2) ?? 0;
    const there = resampling ? Math.round(Math.sqrt(Math.max(1, rows - leading))) ** 2 : area(grid);
    const theirs = [leading + there, hiddenSize];
    const found = asFloat32(source, tensor, take(tensor, theirs), theirs);
    return laidOutPositions(found, { leading, prefix: prefixTokens(config), grid, resampling });
  };
  const placed = (
    name: string,
    dims: readonly number[],
    { tensor, part, below, transposed: turned, scale, optional }: Place,
    may: boolean,
  ): TensorSource => {
    if (name === 'positions') return positions(tensor);
    const [rows = 0, ...rest] = dims;
    const theirs = part === undefined ? shapeThere(config, name, dims) : [part.of * rows, ...rest];
    const takeOrZero = optional && may ? takeIfThere : take;
    if (below !== undefined) {
      const half = [rows / 2, ...rest];
      const [upper, lower] = [takeOrZero(tensor, half), takeOrZero(below, half)];
      if (upper === undefined || lower === undefined) return zeros(dims);
      return stackedRows(asFloat32(source, tensor, upper, half), asFloat32(source, below, lower, half));
    }
    const found = takeOrZero(tensor, turned ? [...theirs].reverse() : theirs);
    if (found === undefined) return zeros(dims);
    if (part !== undefined) return rowsOf(asFloat32(source, tensor, found, theirs), dims, part.index);
    const whole = turned
      ? transposed(asFloat32(source, tensor, found, [...dims].reverse()))
      : asFloat32(source, tensor, found, dims);
    const factors = scale === undefined ? undefined : takeIfThere(scale, [rows]);
    if (scale === undefined || factors === undefined) return whole;
    return scaledRows(whole, asFloat32(source, scale, factors, [rows]));
  };

  const scores = (): TensorSource => {
    const { hiddenSize, heads: ofBlocks, poolHeads: count = ofBlocks } = config;
    const part = (of: string, ...shape: readonly number[]): TensorSource =>
      placed(`pool.${of}`, shape, placeIn(scheme.fixed, `pool.${of}`), false);
    // The bias of the keys is the same for all tokens, which no softmax sees.
    part('k.bias', hiddenSize);
    return poolScores(count, {
      ...{ latent: part('latent', hiddenSize), query: part('q.weight', hiddenSize, hiddenSize) },
      ...{ bias: part('q.bias', hiddenSize), keys: part('k.weight', hiddenSize, hiddenSize) },
    });
  };

  const angles = (rule: RotaryRule, layer: number): TensorSource => {
    if (rule.kind !== 'learned') return rotaryAngles(rule, config);
    const { tensor } = placeIn(scheme.fixed, 'frequencies');
    const dims = [2, config.mlpSizes.length, config.heads, headWidth(config) / 2];
    return learnedAngles(asFloat32(source, tensor, take(tensor, dims), dims), config, layer);
  };

  const distances = (layer: number): TensorSource | undefined => {
    const places = scheme.block(layer);
    const first = places['distances.fc1.weight']?.tensor;
    const hidden = first === undefined ? undefined : tensors.get(first)?.dims[0];
    if (hidden === undefined) return undefined;
    const part = (of: string, ...shape: readonly number[]): TensorSource =>
      placed(`distances.${of}`, shape, placeIn(places, `distances.${of}`), false);
    return madeDistances(config, {
      fc1: { weight: part('fc1.weight', hidden, 2), bias: part('fc1.bias', hidden) },
      fc2: { weight: part('fc2.weight', config.heads, hidden), bias: part('fc2.bias', config.heads) },
    });
  };

  // What one block does without, all must; else a tensor is missing.
  const mayLack = (name: string): boolean => {
    const [, role, ending] = /^layers\.\d+\.(\w+)\.(\w+)$/.exec(name) ?? [];
    if (name === 'patch.bias') return config.firstNorm === true;
    if (role === undefined || ending !== 'bias') return true;
    const first = placeIn(scheme.block(0), `${role}.bias`).tensor;
    return !needed(role) && !tensors.has(first);
  };
  const weights = new Map<string, TensorSource>();
  let withoutNorm = false;
  for (const [name, dims] of weightShapes(config)) {
    if (name.startsWith('head.')) continue;
    if (name === 'pool.scores') {
      weights.set(name, scores());
      continue;
    }
    const [, layer, role] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (role === 'distances' && layer !== undefined) {
      const made = distances(Number(layer));
      if (made) {
        weights.set(name, made);
        continue;
      }
    }
    if (rotary && (name === 'rotary' || role === 'rotary')) {
      weights.set(name, angles(rotary, Number(layer ?? 0)));
      continue;
    }
    const place =
      role === undefined ? placeIn(scheme.fixed, name) : placeIn(scheme.block(Number(layer)), role);
    // Where it is fitted anew with the classifier, as in BEiT and Data2Vec, a backbone's file may be without it.
    if (
      heads.length === 0 &&
      config.lastNorm === 'pooled' &&
      /^norm\./.test(name) &&
      !tensors.has(place.tensor)
    ) {
      const start = name === 'norm.weight' ? 1 : 0;
      weights.set(name, float32(dims, new Float32Array(elementCount(dims)).fill(start)));
      withoutNorm = true;
      continue;
    }
    const found = placed(name, dims, place, mayLack(name));
    const asRead = scheme.name === 'Hugging Face' && role === 'distances';
    weights.set(name, asRead ? distancesAsTransformersReads(found, gridOf(config)) : found);
  }
  const widened = heads.map((head) => {
    const shape = [
      config.labels.length,
      heads.length > 1 || config.distilled ? config.hiddenSize : featureWidth(config),
    ];
    const bias = takeIfThere(`${head}.bias`, shape.slice(0, 1));
    return {
      weight: asFloat32(source, `${head}.weight`, take(`${head}.weight`, shape), shape),
      bias: bias ? asFloat32(source, `${head}.bias`, bias, bias.dims) : zeros(shape.slice(0, 1)),
    };
  });
  for (const [name, tensor] of averagedHeads(config, widened)) weights.set(name, tensor);
  const notes = [
    ...accountForUnused(checkpoint, scheme, used, config.mlpSizes.length),
    ...(withoutNorm ? [WITHOUT_NORM] : []),
  ];
  const alike = rotary?.pairs === 'neighbours' ? withHalves(weights, config) : weights;
  return { vit: { config, weights: alike, forms: new Map() }, notes };
}

/** Refuses what changes the function in a way that no form here has, by its name. */
function refuseForeign(source: string, tensors: ReadonlyMap<string, TensorSource>, scheme: Scheme): void {
  for (const { pattern, expected } of scheme.refused) {
    const name = [...tensors.keys()].find((each) => pattern.test(each));
    if (name !== undefined)
      throw new InputError({
        source,
        place: `tensor ${name}`,
        found: 'a tensor of another architecture',
        expected,
      });
  }
}

/** @throws InputError when there are floats of 8 bits or fewer, which are weights that were quantised */
function refuseSmallFloats({ source, unreadable }: CheckpointTensors): void {
  for (const [name, type] of unreadable)
    if (/^F\d|float/i.test(type))
      throw new InputError({
        ...{ source, place: `tensor ${name}`, found: type, expected: 'F64, F32, F16 or BF16' },
        hint: 'Weights that were quantised cannot be compressed: take those that they were made from.',
      });
}

/** The shape a tensor has in every checkpoint, where it differs from EdgeFlex's. */
function shapeThere(config: ViTConfig, name: string, dims: readonly number[]): readonly number[] {
  if (name === 'patch.weight')
    return [config.hiddenSize, config.channels, config.patchSize.height, config.patchSize.width];
  if (name === 'cls' || name === 'distillation' || name === 'registers') return [1, 1, ...dims];
  return dims;
}

/** A shape without the ones before all else, which some write and others do not. */
function significant(dims: readonly number[]): string {
  const first = dims.findIndex((dim) => dim !== 1);
  return first < 0 ? '' : dims.slice(first).join(', ');
}

function rowsOf(whole: TensorSource, dims: readonly number[], part: number): TensorSource {
  const count = elementCount(dims);
  return computed(dims, async () => (await floats(whole)).slice(part * count, (part + 1) * count));
}
