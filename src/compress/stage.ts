import type { z } from 'zod';
import type { PluginRecord } from '../base/plugin.js';
import type { ViT } from '../vit/vit.js';
import type { StageContext } from './context.js';
import type { StageFacts } from './facts.js';

/** What a stage makes. */
export interface StageResult {
  /** The model after the stage; the one it was given, where the stage changes nothing. */
  readonly vit: ViT;
  /** What the stage did, as JSON: it is stored with the run and read again with the stage's `report`. */
  readonly report: object;
  /** What is too long for the report: a JSON file of its own beside the compressed model, by name. */
  readonly files?: Readonly<Record<string, unknown>>;
}

/**
 * A stage of the pipeline: everything that recipes, progress, the cache, reports and the documentation need to know of it.
 *
 * @example
 * ```ts
 * export const zeroHeadBias = defineStage({
 *   name: 'zero-head-bias',
 *   version: 1,
 *   description: 'Sets the bias of the classifier to zero.',
 *   options: z.strictObject({}),
 *   report: z.object({ classes: z.number() }),
 *   effort: () => 0,
 *   shape: (vit) => vit,
 *   apply: async (vit) => ({
 *     vit: withWeights(vit, [['head.bias', float32([10], new Float32Array(10))]]),
 *     report: { classes: 10 },
 *   }),
 *   summarise: ({ classes }) => stageFacts({ headline: [{ label: 'classes', value: classes, unit: 'count' }] }),
 * });
 * ```
 */
export interface Stage<Options extends object = object, Report extends object = object> {
  /** How recipes call it: lower-case words with hyphens. */
  readonly name: string;
  /** Raised by hand whenever the same model, options and images would give another result: part of the cache's keys. */
  readonly version: number;
  /** The plug-in that brought it; undefined for EdgeFlex's own. Its digest is part of the cache's keys. */
  readonly origin?: PluginRecord;
  /** One sentence for the help and the reference. */
  readonly description: string;
  /** Every option with its default and a description. */
  readonly options: z.ZodType<Options>;
  /** What is read of a stored report. It takes reports of other versions, too: figures may be missing there. */
  readonly report: z.ZodType<Report>;
  /**
   * About how many multiplications the stage takes, from shapes alone: for the time that is left.
   *
   * @param vit - a model of the shapes that the stage will be given
   */
  effort(vit: ViT, options: Options): number;
  /**
   * The shapes that the stage will leave, with stand-ins for weights: before any work is done.
   *
   * @param vit - a model of the shapes that the stage will be given
   */
  shape(vit: ViT, options: Options): ViT;
  /** Whether the result depends on the steps behind this one; left out, it does not. */
  looksAhead?(options: Options): boolean;
  /** Whether the result depends on peaks measured on the device; left out, it does not. */
  measuresPeak?(options: Options): boolean;
  /** It leaves the model as it is: what stages behind it observe does not depend on it. */
  readonly changesNothing?: true;
  /** A recipe has it at most once. */
  readonly once?: true;
  /** It gives the model another classifier: fitted to the classes, or one whose logits come nearer to those of the model before the recipe. */
  readonly classifier?: 'refits' | 'corrects';
  /** It changes how weights are stored and, but for rounding, nothing of what the model computes. */
  readonly onlyStores?: true;
  /** It changes weights as floats: no stage before it may have quantised all linears. */
  readonly needsFloat?: true;
  /** It leaves a model that merges tokens, always. */
  readonly mergesTokens?: true;
  /** It takes no model that merges tokens already. */
  readonly needsAllTokens?: true;
  /** Whether it leaves no linear of a block float; left out, it leaves them as they are. */
  quantisesAll?(options: Options): boolean;
  /**
   * Does the work.
   *
   * @param vit - the model
   * @param context - runtime, training images, progress, checkpoints
   * @throws InputError when the options do not fit the model; what `context.throwIfStopped` throws
   */
  apply(vit: ViT, context: StageContext, options: Options): Promise<StageResult>;
  /** What the stage did, as facts. */
  summarise(report: Report, options: Partial<Options>): StageFacts;
}

/**
 * Defines a stage, its options and its report typed by their schemas.
 *
 * @param stage - the stage
 * @throws RangeError for a name that no recipe could have, or a version that is no positive whole number
 */
export function defineStage<Options extends object, Report extends object>(
  stage: Stage<Options, Report>,
): Stage<Options, Report> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(stage.name))
    throw new RangeError(`"${stage.name}" is no name of a stage: lower-case words with hyphens between them`);
  if (!Number.isSafeInteger(stage.version) || stage.version < 1)
    throw new RangeError(`${stage.name}: version ${stage.version} is no positive whole number`);
  return stage;
}

/** One step of a recipe: a stage by its name, and its options, defaults filled in. */
export interface Step<Options extends object = object> {
  readonly stage: string;
  readonly options: Options;
}

/**
 * A step of a stage.
 *
 * @param stage - the stage
 * @param options - as a recipe writes them; what is left out has its default
 * @throws ZodError when they do not fit the stage's schema
 */
export function stepOf<Options extends object>(
  stage: Pick<Stage<Options>, 'name' | 'options'>,
  options: Partial<Options> = {},
): Step<Options> {
  return { stage: stage.name, options: stage.options.parse(options) };
}

/** Whether a step is one of a stage; its options are typed then. */
export function isStepOf<Options extends object>(
  stage: Pick<Stage<Options>, 'name' | 'options'>,
  step: Step,
): step is Step<Options> {
  return step.stage === stage.name;
}
