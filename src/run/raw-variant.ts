import type { GraphTarget } from '../base/target.js';
import { InputError } from '../base/errors.js';
import { channelsOfImages, type Dataset, type Split } from '../data/dataset.js';
import { preprocessingOfImages } from '../data/records.js';
import { classesMatched } from '../model/classes.js';
import { fileOf, type OnnxFiles } from '../model/files.js';
import { loadModelFor, modelHere, type LoadedModel, type LocalModel } from '../model/load.js';
import { asked, rawModel, type RawModel } from '../model/raw.js';
import type { ModelRecord } from '../model/record.js';
import type { ModelSource } from '../model/source.js';
import { isBaseline } from '../suite/baseline.js';
import type { Plan, PlannedVariant } from '../suite/plan.js';
import { labelsIn } from '../vit/onnx/assemble.js';
import { UnrecognisedGraph } from '../vit/onnx/unrecognised.js';
import type { Artifact } from './artifacts/artifact.js';
import { rawArtifact } from './artifacts/raw.js';
import type { Variant } from './cell.js';

/** A model of a run: one that can be compressed, or an ONNX file that is run as it is. */
export type RunModel = LoadedModel | RawModel;

/** Names of the models that are run as they are. */
export function namesOfRaw(models: ReadonlyMap<string, RunModel>): ReadonlySet<string> {
  return new Set([...models].flatMap(([name, model]) => ('reason' in model ? [name] : [])));
}

/**
 * Loads a model of a suite; an ONNX file in which none is recognised, or that is to be run as it is, is taken so.
 *
 * @param source - what the suite says of it
 * @param local - its files
 * @param images - the data set
 * @throws InputError when it can be neither
 */
export async function loadedOrRaw(
  source: ModelSource,
  local: LocalModel,
  images: Dataset<Split>,
): Promise<RunModel> {
  const settings = source.kind === 'path' ? source.raw : undefined;
  if (settings !== undefined) {
    const files = onnxFiles(local);
    return preparedFor(
      images,
      await rawModel(files, {
        ...{ ...settings, name: source.name, reason: asked(files.surface) },
        channels: channelsOfImages(images),
      }),
    );
  }
  try {
    return await loadModelFor(local, images);
  } catch (error) {
    if (!(error instanceof UnrecognisedGraph) || local.kind !== 'files') throw error;
    const { name, hub } = local;
    const made = await rawModel(onnxFiles(local), {
      ...{ name, reason: error.reason, channels: channelsOfImages(images) },
      ...(hub && { hub }),
    });
    return preparedFor(images, made);
  }
}

/** A file that takes the images as the data set gives them. */
function preparedFor(images: Dataset<Split>, raw: RawModel): RawModel {
  return { ...raw, preprocessing: preprocessingOfImages(images, raw.preprocessing) };
}

/** @throws InputError when they are those of no ONNX model */
function onnxFiles(local: LocalModel): OnnxFiles {
  if (local.kind === 'files' && local.files.layout === 'onnx') return local.files;
  throw new InputError({
    source: local.kind === 'files' ? local.files.weights : local.name,
    found: 'weights without a graph',
    expected: 'an .onnx file: nothing else can be run unchanged',
  });
}

/** What a raw variant is made for. */
interface RawPurpose {
  readonly targets: Iterable<GraphTarget>;
  /** The data set. */
  readonly images: Dataset<Split>;
  readonly signal: AbortSignal;
}

/**
 * Makes a variant of an ONNX file as it is.
 *
 * @param planned - the variant
 * @param model - that it belongs to: the file itself, or what it stands beside
 * @param plan - of the run
 * @param purpose - devices and images
 * @throws InputError when it cannot be run, or is for as many other classes
 */
export async function rawVariant(
  planned: PlannedVariant,
  model: RunModel,
  { suite }: Plan,
  { targets, images, signal }: RawPurpose,
): Promise<{ readonly variant: Omit<Variant, 'planned' | 'name'>; readonly cached: boolean }> {
  const raw = preparedFor(images, await fileOfVariant(planned, model, images));
  const artifact = await rawArtifact(raw, signal);
  const { classes, rangeOfBatch } = factsOf(artifact);
  const { weights } = raw.files;
  const names = await labelsIn(fileOf(raw.files, 'config'), classes);
  const { match, notes } = classesMatched(weights, names, images.labels);
  const order =
    match.kind === 'mapped' && match.order.some((from, to) => from !== to) ? match.order : undefined;
  const { input, output, reason } = raw;
  const own = planned.recipe.raw === undefined;
  const record: ModelRecord = {
    ...raw.record,
    notes: [...raw.record.notes, ...notes],
    raw: {
      reason,
      leftOut: own
        ? suite.recipes.flatMap(({ recipe, raw: file }) =>
            file === undefined && !isBaseline(recipe.name) ? [recipe.name] : [],
          )
        : [],
      input: {
        ...{ name: input.name, dtype: input.dtype, batch: input.batch ?? null },
        ...{ size: input.size, channels: input.channels },
      },
      output: { name: output, classes },
      rangeOfBatch,
    },
  };
  const made: Artifact = { ...artifact, order };
  return {
    variant: {
      isBaseline: false,
      model: { synthetic: false, card: raw.card, record },
      artifacts: new Map([...targets].map((target) => [target, made] as const)),
    },
    cached: artifact.cached,
  };
}

/**
 * Reads the ONNX files of a plan that are run as they are. One that cannot be is refused here, and not after hours of compressing.
 *
 * @param plan - of the run
 * @param models - by name, loaded
 * @param images - the data set
 * @throws InputError when a file is not there, or is no model that can be run
 */
export async function checkRawFiles(
  plan: Plan,
  models: ReadonlyMap<string, RunModel>,
  images: Dataset<Split>,
): Promise<void> {
  for (const planned of plan.variants) {
    const model = models.get(planned.model.name);
    if (model !== undefined && planned.recipe.raw !== undefined) await fileOfVariant(planned, model, images);
  }
}

async function fileOfVariant(
  { recipe }: PlannedVariant,
  model: RunModel,
  images: Dataset<Split>,
): Promise<RawModel> {
  const { raw } = recipe;
  if (raw === undefined) {
    if ('reason' in model) return model;
    throw new Error(`${model.name} is planned to be run as it is, and is no ONNX file`);
  }
  const { name } = recipe.recipe;
  const files = onnxFiles(await modelHere({ kind: 'path', name, path: raw.path }));
  return rawModel(files, {
    ...{ ...raw, name, reason: asked(files.surface), beside: model.preprocessing },
    channels: channelsOfImages(images),
  });
}

function factsOf({ raw }: Artifact): NonNullable<Artifact['raw']> {
  if (raw === undefined) throw new Error('an artifact of a raw file without its facts');
  return raw;
}
