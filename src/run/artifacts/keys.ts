import type { GraphTarget } from '../../base/target.js';
import { cacheKey, type CacheKey } from '../../cache/key.js';
import type { HeadOptions } from '../../compress/head/options.js';
import type { Recipe } from '../../compress/recipe.js';
import { stageOf } from '../../compress/registry.js';
import type { Step } from '../../compress/stage.js';
import type { Device } from '../../device/device.js';
import type { LoadedModel } from '../../model/load.js';
import type { RawModel } from '../../model/raw.js';
import type { BuildContext } from './build-context.js';
import { GRAPH_VERSION, OBSERVATION_VERSION } from './versions.js';

/** What of a model goes into whatever is made of it. */
type KeyedModel = Pick<LoadedModel, 'identity' | 'digests' | 'preprocessing'>;

/**
 * The key of an artifact: everything that it is made from.
 *
 * @param model - the model
 * @param recipe - the recipe; its name, its description and, unless a measured peak depends on it, its micro-batch do not matter
 * @param target - what the graph is written for
 * @param context - images, seed, runtime, device
 */
export function artifactKey(
  model: KeyedModel,
  recipe: Recipe,
  target: GraphTarget,
  context: BuildContext,
): CacheKey {
  const { steps } = recipe;
  return cacheKey('artifact', {
    model: modelPart(model),
    // The baseline needs no calibration, so that other images do not make it another artifact.
    calibration: steps.length > 0 && calibrationPart(context),
    measured: measuredPart(recipe, context.device),
    ...{ steps: steps.map(stepPart), target, graph: GRAPH_VERSION },
  });
}

/**
 * The key of an ONNX file that is run as it is: one for all targets.
 *
 * @param model - the file, by its digest and those of its external data
 */
export function rawKey(model: RawModel): CacheKey {
  const { output, input, numbers } = model;
  return cacheKey('artifact', { raw: modelPart(model), output, input, numbers, graph: GRAPH_VERSION });
}

/**
 * The keys of what each stage of a recipe leaves: recipes that begin alike share those of the stages that are alike.
 *
 * @param model - the model
 * @param recipe - the recipe
 * @param context - images, seed, runtime, device
 */
export function stageKeys(model: KeyedModel, recipe: Recipe, context: BuildContext): CacheKey[] {
  const steps = recipe.steps.map(stepPart);
  const ahead = recipe.steps.some((step) => stageOf(step).looksAhead?.(step.options));
  return steps.map((_, index) =>
    cacheKey('checkpoint', {
      model: modelPart(model),
      calibration: calibrationPart(context),
      measured: measuredPart(recipe, context.device),
      ...{ steps: steps.slice(0, index + 1), ahead: ahead && steps.slice(index + 1) },
      graph: GRAPH_VERSION,
    }),
  );
}

/**
 * The key of what a stage observes of the model it is given: recipes share it that come to that model by the same steps.
 *
 * @param model - the model
 * @param recipe - the recipe
 * @param index - which of its steps observes
 * @param about - what the observations depend on besides the model and the training images
 * @param context - images, seed, runtime, device
 */
export function observationKey(
  model: KeyedModel,
  recipe: Recipe,
  index: number,
  about: object,
  context: BuildContext,
): CacheKey {
  const before = recipe.steps.slice(0, index).filter((step) => stageOf(step).changesNothing !== true);
  const ahead = before.some((step) => stageOf(step).looksAhead?.(step.options));
  return cacheKey('observation', {
    model: modelPart(model),
    calibration: calibrationPart(context),
    measured: measuredPart({ ...recipe, steps: before }, context.device),
    ...{ steps: before.map(stepPart), ahead: ahead && recipe.steps.slice(index).map(stepPart) },
    ...{ observed: about, graph: GRAPH_VERSION },
  });
}

/**
 * The key of a head that is fitted to a model before anything else happens.
 *
 * @param model - the model without it
 * @param options - of the stage `head`
 * @param context - images, seed, runtime
 * @param isProbe - whether stages alone use it, so that it may lack classes
 */
export function headKey(
  model: KeyedModel,
  options: HeadOptions,
  context: Omit<BuildContext, 'device'>,
  isProbe: boolean,
): CacheKey {
  const step = stepPart({ stage: 'head', options });
  const calibration = calibrationPart(context);
  return cacheKey('head', { model: modelPart(model), calibration, step, ...(isProbe && { probe: true }) });
}

/** The preprocessing is a part of it even where nothing is calibrated: its graph lies with every artifact. */
function modelPart({ identity, digests, preprocessing }: KeyedModel): object {
  return { identity, digests, preprocessing };
}

/** Another number of threads adds in another order, and so observes other last bits. */
function calibrationPart({
  train,
  seed,
  engine,
  threads,
}: Pick<BuildContext, 'train' | 'seed' | 'engine' | 'threads'>): object {
  return { images: train.hash, seed, runtime: engine.info, threads, observation: OBSERVATION_VERSION };
}

function stepPart(step: Step): object {
  const { version, origin } = stageOf(step);
  return { ...step, version, ...(origin && { plugin: origin.digest }) };
}

/** What a measured peak depends on besides the weights; false for a recipe that does not choose widths by one. */
function measuredPart({ steps, microBatch }: Recipe, device: Device | undefined): object | false {
  const measured = steps.some((step) => stageOf(step).measuresPeak?.(step.options));
  const environment = device && { ...device.environment, git: null };
  return measured && { microBatch, environment, session: device?.session };
}
