import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../../base/paths.js';
import type { GraphTarget } from '../../base/target.js';
import { hashJson } from '../../base/hash.js';
import { calibrationSource } from '../../compress/calibration.js';
import { compress, type StageReport } from '../../compress/pipeline.js';
import type { Recipe } from '../../compress/recipe.js';
import { stageOf } from '../../compress/registry.js';
import type { Dataset } from '../../data/dataset.js';
import { preprocessingGraph } from '../../data/preprocess.js';
import type { Device } from '../../device/device.js';
import { modelBytes, writeModel } from '../../onnx/file.js';
import type { ValueInfo } from '../../onnx/model.js';
import { byteLength } from '../../onnx/tensor.js';
import type { Engine } from '../../runtime/engine.js';
import { tokenCount } from '../../vit/config.js';
import { buildGraph } from '../../vit/graph/model.js';
import { targetForm } from '../../vit/graph/form.js';
import { parameterCount, type ViT } from '../../vit/vit.js';
import { codeVersion } from '../code-version.js';
import type { LoadedModel } from '../../model/load.js';
import { peakProbe } from './peak-probe.js';
import { dropShelves, openShelves } from './stage-checkpoints.js';

/** A stage's report without what fills files of its own. */
export type KeptStage = Omit<StageReport, 'files'>;

/** A compressed model on disk, its graph written for a target: what a device is given. */
export interface Artifact {
  /** Hash of everything it was made from. */
  readonly key: string;
  readonly directory: string;
  /** The model's `.onnx`; its weights lie beside it. */
  readonly model: string;
  /** The preprocessing graph. */
  readonly preprocess: string;
  /** Hash of the preprocessing: models with the same one can share preprocessed images. */
  readonly preprocessing: string;
  /** Bytes of the model's files. */
  readonly fileBytes: number;
  readonly parameters: number;
  /** How often a run of the model must execute the kernels that its quantised linears stand for. */
  readonly kernels: Readonly<Record<string, number>>;
  /** In what the graph differs from what the recipe asks for, in words; undefined when in nothing. */
  readonly instead?: string | undefined;
  /** Bytes of the largest constant: a GPU binds each as one buffer. */
  readonly largestConstant: number;
  readonly stages: readonly KeptStage[];
  /** Types and shapes of the graph's intermediate values, which its file does not hold. */
  readonly values: readonly ValueInfo[];
  /** Whether it was there already. */
  readonly cached: boolean;
}

/** What making an artifact needs. */
export interface BuildContext {
  readonly engine: Engine;
  readonly threads: number;
  readonly train: Dataset<'train'>;
  readonly seed: number;
  /** Measures what a memory budget is about; undefined where nothing can. */
  readonly device: Device | undefined;
  /** Recipes that the same model gets next: what the stages that they begin with have made is kept for them. */
  readonly next?: readonly Recipe[];
  /** Stops the work. */
  readonly signal: AbortSignal;
  /** Told how far the pipeline is, and for how many seconds it will go on where that can be said. */
  readonly onProgress: (done: number, what: string, secondsLeft?: number) => void;
}

/** What is known of an artifact that was just made. */
type Made = Pick<
  Artifact,
  'fileBytes' | 'parameters' | 'kernels' | 'instead' | 'largestConstant' | 'stages' | 'values'
>;

/** `manifest.json` beside an artifact. Stage reports and values were written by this very version of the code, as the key says. */
const manifestSchema = z.object({
  fileBytes: z.number(),
  parameters: z.number(),
  kernels: z.record(z.string(), z.number()),
  instead: z.string().optional(),
  largestConstant: z.number(),
  stages: z.array(z.custom<KeptStage>()),
  values: z.array(z.custom<ValueInfo>()),
  /** Bytes by file. */
  files: z.record(z.string(), z.number()),
});

/** A variant's artifacts by target. */
export type Artifacts = ReadonlyMap<GraphTarget, Artifact>;

/**
 * The artifacts of a model and a recipe, one for each target: from the cache, or made now and put there. What is missing is
 * made of one and the same compressed model.
 *
 * @param model - the model
 * @param recipe - the recipe
 * @param targets - what the devices of the run need
 * @param context - runtime, calibration images and progress
 * @throws InputError when the recipe cannot be applied to the model
 */
export async function artifactsOf(
  model: LoadedModel,
  recipe: Recipe,
  targets: Iterable<GraphTarget>,
  context: BuildContext,
): Promise<Artifacts> {
  let made: Promise<Compressed> | undefined;
  const once = (): Promise<Compressed> => (made ??= compressed(model, recipe, context));
  const artifacts = new Map<GraphTarget, Artifact>();
  for (const target of targets)
    artifacts.set(target, await artifactFor(target, model, recipe, context, once));
  const still = new Set<string>();
  for (const next of context.next ?? [])
    for (const key of await stageKeys(model, next, context)) still.add(key);
  await dropShelves((await stageKeys(model, recipe, context)).filter((key) => !still.has(key)));
  return artifacts;
}

/** The artifact of a model and a recipe for ONNX Runtime's CPU provider. */
export async function artifactOf(
  model: LoadedModel,
  recipe: Recipe,
  context: BuildContext,
): Promise<Artifact> {
  return (await artifactsOf(model, recipe, ['cpu'], context)).get('cpu')!;
}

async function artifactFor(
  target: GraphTarget,
  model: LoadedModel,
  recipe: Recipe,
  context: BuildContext,
  compressOnce: () => Promise<Compressed>,
): Promise<Artifact> {
  const key = hashJson({ ...(await originOf(model, recipe, context)), steps: recipe.steps, target });
  const directory = join(cacheDirectory(), 'artifacts', key.slice(0, 32));
  const present = await readArtifact(directory, key, model);
  if (present) return present;

  const partial = `${directory}.${randomUUID()}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    const { vit, stages } = await compressOnce();
    const written = await writeArtifact(partial, target, model, recipe, vit, stages);
    const files = await fileSizes(partial);
    await writeFile(join(partial, 'manifest.json'), JSON.stringify({ ...written, files }, null, 2));
    await rename(partial, directory).catch(async () => {
      // Another process was faster, and what it made is the same; or what lies there is damaged.
      if (await readArtifact(directory, key, model)) return;
      await rm(directory, { recursive: true, force: true });
      await rename(partial, directory);
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  const made = await readArtifact(directory, key, model);
  if (made === undefined) throw new Error(`the artifact in ${directory} is not complete`);
  return { ...made, cached: false };
}

/** What every artifact of a model and a recipe is made from, but for the steps. */
async function originOf(model: LoadedModel, recipe: Recipe, context: BuildContext): Promise<object> {
  return {
    weights: model.identity,
    // The baseline needs no calibration, so that other images do not make it another artifact.
    calibration: recipe.steps.length > 0 && {
      images: context.train.hash,
      seed: context.seed,
      preprocessing: model.preprocessing,
      runtime: context.engine.info,
    },
    measured: fitsMemory(recipe) && measuredOn(recipe, context.device),
    code: await codeVersion(),
  };
}

/** One key for each stage: recipes that begin alike share those of the stages that are alike. */
async function stageKeys(model: LoadedModel, recipe: Recipe, context: BuildContext): Promise<string[]> {
  const { steps } = recipe;
  const origin = { ...(await originOf(model, recipe, context)), threads: context.threads };
  const ahead = steps.some((step) => stageOf(step).looksAhead?.(step.options));
  return steps.map((_, index) =>
    hashJson({ ...origin, steps: steps.slice(0, index + 1), ahead: ahead && steps.slice(index + 1) }),
  );
}

/** Whether a recipe chooses widths by a peak that is measured. */
function fitsMemory({ steps }: Recipe): boolean {
  return steps.some((step) => stageOf(step).measuresPeak?.(step.options));
}

/** What a measured peak depends on besides the weights. */
function measuredOn({ microBatch }: Recipe, device: Device | undefined): object {
  const environment = device && { ...device.environment, git: null };
  return { microBatch, environment, session: device?.session };
}

/** What a recipe makes of a model, before it is written for any target. */
interface Compressed {
  readonly vit: ViT;
  readonly stages: readonly StageReport[];
}

async function compressed(model: LoadedModel, recipe: Recipe, context: BuildContext): Promise<Compressed> {
  const { engine, threads, train, seed, device, signal, onProgress } = context;
  const tokens = tokenCount(model.vit.config);
  const calibration = calibrationSource(engine, threads, train, model.preprocessing, tokens, seed);
  const shelves = openShelves(await stageKeys(model, recipe, context));
  try {
    return await compress(model.vit, recipe, {
      ...{ engine, calibration, threads, seed, onProgress },
      measurePeak: device && peakProbe(device, recipe.microBatch, signal),
      checkpointsOf: (index) => shelves.checkpointsOf(index),
      throwIfStopped: () => {
        signal.throwIfAborted();
      },
    });
  } finally {
    await shelves.release();
  }
}

/**
 * Writes a compressed model's files into a directory.
 *
 * @returns what is worth knowing of them
 */
async function writeArtifact(
  directory: string,
  target: GraphTarget,
  model: LoadedModel,
  recipe: Recipe,
  vit: ViT,
  stages: readonly StageReport[],
): Promise<Made> {
  const path = join(directory, 'model.onnx');
  const graph = buildGraph(vit, { model: model.name, recipe: JSON.stringify(recipe.steps) }, target);
  await writeModel(graph, path);
  await writeModel(preprocessingGraph(model.preprocessing), join(directory, 'preprocess.onnx'));
  for (const { files = {} } of stages) {
    for (const [name, content] of Object.entries(files))
      await writeFile(join(directory, basename(name)), JSON.stringify(content));
  }
  return {
    fileBytes: await modelBytes(path),
    parameters: parameterCount(vit.config),
    ...targetForm(vit, target),
    largestConstant: Math.max(...[...graph.initializers.values()].map(byteLength)),
    values: graph.values,
    stages: stages.map(({ files: _, ...stage }) => stage),
  };
}

/** The artifact in a directory; undefined when none is there, or not all of it. */
async function readArtifact(
  directory: string,
  key: string,
  model: LoadedModel,
): Promise<Artifact | undefined> {
  try {
    const text = await readFile(join(directory, 'manifest.json'), 'utf8');
    const { files, ...made } = manifestSchema.parse(JSON.parse(text));
    const present = await fileSizes(directory);
    if (Object.entries(files).some(([file, bytes]) => present[file] !== bytes)) return undefined;
    return {
      key,
      directory,
      model: join(directory, 'model.onnx'),
      preprocess: join(directory, 'preprocess.onnx'),
      preprocessing: hashJson(model.preprocessing),
      ...made,
      cached: true,
    };
  } catch {
    return undefined;
  }
}

/** Bytes of each file in a directory: what an interrupted write or a cleaner took away shows in them. */
async function fileSizes(directory: string): Promise<Record<string, number>> {
  const names = await readdir(directory);
  const sizes = names.map(async (name) => [name, (await stat(join(directory, name))).size] as const);
  return Object.fromEntries(await Promise.all(sizes));
}
