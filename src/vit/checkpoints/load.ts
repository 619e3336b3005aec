import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import { elementCount, type TensorSource } from '../../onnx/tensor.js';
import { leadingTokens, patchCount, tokenCount, type ViTConfig } from '../config.js';
import { weightShapes, type ViT } from '../vit.js';
import { inferArchitecture } from './config.js';
import { readHuggingFaceConfig } from './huggingface-config.js';
import { huggingFaceSchemes } from './huggingface.js';
import { readJson } from './json.js';
import { placeIn, type Place, type Scheme, type SchemeName } from './scheme.js';
import { asFloat32, readCheckpointTensors, type CheckpointTensors } from './tensors.js';
import { averagedHeads, computed, floats, scaledRows, zeros, zerosAbove } from '../derived.js';
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

const schemes: readonly Scheme[] = [...huggingFaceSchemes, timmScheme, torchvisionScheme];

/**
 * Loads a ViT or DeiT in F32, F16 or BF16, in the naming of Hugging Face Transformers (which needs a `config.json`), timm
 * (`config.json` as on the Hub, or none) or torchvision (which has none). The naming is recognised from the names.
 *
 * @param weights - the `.safetensors` file, or the index of its shards
 * @param config - the `config.json` that belongs to it; undefined where there is none
 * @returns the model in float32; tensors are read from disk when they are needed
 * @throws InputError when a file is missing or malformed, the architecture is no plain ViT, or a tensor is missing or misshapen
 */
export async function loadCheckpoint(weights: string, config: string | undefined): Promise<Checkpoint> {
  const checkpoint = await readCheckpointTensors(weights);
  const { source, tensors } = checkpoint;
  const scheme = schemes.find(({ mark }) => tensors.has(mark));
  if (scheme === undefined) throw await foreign(checkpoint, config);
  refuseForeign(source, tensors, scheme);
  const heads = scheme.heads.find((set) => set.every((head) => tensors.has(`${head}.weight`))) ?? [];
  const [head] = heads;
  const classes = head === undefined ? 0 : classesOf(source, `${head}.weight`, tensors);
  if (scheme.name === 'Hugging Face') {
    const distilled = tensors.has(placeIn(scheme.fixed, 'distillation').tensor);
    const { config: architecture, qkvBias } = await readHuggingFaceConfig(source, config, classes, distilled);
    const { vit, notes } = assemble(checkpoint, scheme, architecture, heads, qkvBias);
    return { vit, scheme: scheme.name, notes, images: undefined };
  }
  const { told, images } = await readTimmConfig(config);
  const { config: architecture, notes } = inferArchitecture(source, tensors, scheme, told, classes);
  const made = assemble(checkpoint, scheme, architecture, heads, false);
  return { vit: made.vit, scheme: scheme.name, notes: [...notes, ...made.notes], images };
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
    expected: `a ViT or DeiT as Hugging Face Transformers, timm or torchvision name it (one of ${schemes.map(({ mark }) => mark).join(', ')})`,
  });
}

/**
 * @param heads - names of the classifiers
 * @param complete - whether tensors that some models do without must be there
 */
function assemble(
  checkpoint: CheckpointTensors,
  scheme: Scheme,
  config: ViTConfig,
  heads: readonly string[],
  complete: boolean,
): { readonly vit: ViT; readonly notes: readonly string[] } {
  const { source, tensors } = checkpoint;
  const used = new Set<string>();
  const takeIfThere = (tensor: string, dims: readonly number[]): TensorSource | undefined =>
    tensors.has(tensor) ? take(tensor, dims) : undefined;
  const take = (tensor: string, dims: readonly number[]): TensorSource => {
    const found = tensors.get(tensor);
    if (found?.dims.join(', ') !== dims.join(', '))
      throw new InputError({
        source,
        place: `tensor ${tensor}`,
        found: found === undefined ? 'nothing' : `shape [${found.dims.join(', ')}]`,
        expected: `shape [${dims.join(', ')}]`,
      });
    used.add(tensor);
    return found;
  };
  const placed = (
    name: string,
    dims: readonly number[],
    { tensor, third, scale, optional }: Place,
  ): TensorSource => {
    if (name === 'positions') {
      const { hiddenSize } = config;
      const patches = patchCount(config);
      const without = scheme.name === 'timm' && tensors.get(tensor)?.dims[1] === patches;
      const theirs = [1, without ? patches : tokenCount(config), hiddenSize];
      const found = asFloat32(source, tensor, take(tensor, theirs), theirs.slice(1));
      return without ? zerosAbove(found, leadingTokens(config)) : found;
    }
    const [rows = 0, ...rest] = dims;
    const theirs = third === undefined ? shapeThere(config, name, dims) : [3 * rows, ...rest];
    const found = optional && !complete ? takeIfThere(tensor, theirs) : take(tensor, theirs);
    if (found === undefined) return zeros(dims);
    if (third !== undefined) return rowsOf(asFloat32(source, tensor, found, theirs), dims, third);
    const whole = asFloat32(source, tensor, found, dims);
    const factors = scale === undefined ? undefined : takeIfThere(scale, [rows]);
    if (scale === undefined || factors === undefined) return whole;
    return scaledRows(whole, asFloat32(source, scale, factors, [rows]));
  };

  const weights = new Map<string, TensorSource>();
  for (const [name, dims] of weightShapes(config)) {
    if (name.startsWith('head.')) continue;
    const [, layer, role] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? [];
    const place =
      role === undefined ? placeIn(scheme.fixed, name) : placeIn(scheme.block(Number(layer)), role);
    weights.set(name, placed(name, dims, place));
  }
  const widened = heads.map((head) => {
    const shape = [config.labels.length, config.hiddenSize];
    const bias = takeIfThere(`${head}.bias`, shape.slice(0, 1));
    return {
      weight: asFloat32(source, `${head}.weight`, take(`${head}.weight`, shape), shape),
      bias: bias ? asFloat32(source, `${head}.bias`, bias, bias.dims) : zeros(shape.slice(0, 1)),
    };
  });
  for (const [name, tensor] of averagedHeads(config, widened)) weights.set(name, tensor);
  const notes = accountForUnused(checkpoint, scheme, used, config.mlpSizes.length);
  return { vit: { config, weights, forms: new Map() }, notes };
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

/** The shape a tensor has in every checkpoint, where it differs from EdgeFlex's. */
function shapeThere(config: ViTConfig, name: string, dims: readonly number[]): readonly number[] {
  if (name === 'patch.weight')
    return [config.hiddenSize, config.channels, config.patchSize, config.patchSize];
  if (name === 'cls' || name === 'distillation') return [1, 1, ...dims];
  return dims;
}

function rowsOf(whole: TensorSource, dims: readonly number[], third: 0 | 1 | 2): TensorSource {
  const count = elementCount(dims);
  return computed(dims, async () => (await floats(whole)).slice(third * count, (third + 1) * count));
}
