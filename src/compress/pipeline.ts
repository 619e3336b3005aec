import { constantBytes } from '../onnx/liveness.js';
import { parameterCount, type ViT } from '../vit/vit.js';
import { buildGraph } from '../vit/graph/model.js';
import { changesOf, withChanges, type Changes, type CheckpointStore } from './checkpoints.js';
import type { Calibration, CalibrationSource, Purpose, StageContext } from './context.js';
import type { StageFacts } from './facts.js';
import { startPace } from './pace.js';
import { effortsOf, plannedModel } from './planned.js';
import type { Recipe } from './recipe.js';
import { stageOf } from './registry.js';
import type { Stage, StageResult } from './stage.js';

/** One stage of a finished pipeline. */
export interface StageReport extends Pick<StageResult, 'report' | 'files'> {
  /** Which stage. */
  readonly stage: string;
  /** Of its mathematics. */
  readonly version: number;
  readonly options: object;
  /** What it did, as data that anybody can show. */
  readonly facts: StageFacts;
  readonly seconds: number;
  /** Of the model after the stage. */
  readonly parameters: number;
  /** Bytes of the model's constants after the stage, as they lie in memory. */
  readonly constantBytes: number;
}

/** A compressed model and how it came to be. */
export interface Compressed {
  readonly vit: ViT;
  readonly stages: readonly StageReport[];
}

/** What a pipeline is given; where each stage stands in the recipe it tells them itself. */
export interface PipelineContext extends Omit<
  StageContext,
  'original' | 'finished' | 'microBatch' | 'checkpoints' | 'observations' | 'workedBefore' | 'onProgress'
> {
  /** Whether the model's classifier is a probe, which no variant has in the end. */
  readonly probed: boolean;
  /**
   * Told how far the recipe is.
   *
   * @param done - from 0 to 1
   * @param what - the stage and what it works on
   * @param secondsLeft - how long the rest will take; undefined while nothing can be said
   */
  onProgress(done: number, what: string, secondsLeft: number | undefined): void;
  /**
   * Where a stage leaves what it has made so far, and at last its result.
   *
   * @param index - which of the recipe's steps
   */
  checkpointsOf(index: number): Promise<CheckpointStore>;
  /**
   * Where a stage leaves what it observed of the model it is given, for other recipes, too.
   *
   * @param index - which of the recipe's steps
   * @param about - what the observations depend on besides what was made of the model before
   */
  observationsOf(index: number, about: object): Promise<CheckpointStore>;
}

/** Under which name a finished stage is kept. */
const RESULT = 'result';

/**
 * Runs a recipe's stages in order, each on what the one before it made.
 *
 * @param vit - the float model
 * @param recipe - the stages
 * @param context - what every stage is given; its progress runs over the whole recipe
 */
export async function compress(vit: ViT, recipe: Recipe, context: PipelineContext): Promise<Compressed> {
  let current = vit;
  const stages: StageReport[] = [];
  const pace = startPace(effortsOf(vit, recipe.steps));
  for (const [index, step] of recipe.steps.entries()) {
    const started = performance.now();
    const checkpoints = await context.checkpointsOf(index);
    const known = await checkpoints.take<{ changes: Changes; report: StageReport }>(RESULT);
    if (known) {
      current = withChanges(current, { value: known.value.changes, tensors: known.tensors });
      stages.push(known.value.report);
      pace.found();
      pace.at(index, 1);
      continue;
    }
    let before = 0;
    const draws: Draw[] = [];
    const within: StageContext = {
      ...context,
      calibration: noting(context.calibration, draws),
      checkpoints,
      original: { vit, probed: context.probed, observations: (about) => context.observationsOf(0, about) },
      observations: (about) => context.observationsOf(index, about),
      workedBefore: (seconds) => {
        before += seconds;
        pace.found();
      },
      finished: (model) => plannedModel(model, recipe.steps.slice(index + 1)),
      microBatch: recipe.microBatch,
      onProgress: (done, what) => {
        const { done: all, secondsLeft } = pace.at(index, done);
        context.onProgress(all, `${step.stage}: ${what}`, secondsLeft);
      },
    };
    within.onProgress(0, 'starting');
    const stage = stageOf(step);
    const { vit: changed, report: own, files } = await stage.apply(current, within, step.options);
    const report: StageReport = {
      stage: stage.name,
      version: stage.version,
      options: step.options,
      report: own,
      ...(files && { files }),
      facts: withDraws(factsOf(stage, own, step.options), draws),
      seconds: before + (performance.now() - started) / 1000,
      parameters: parameterCount(changed.config),
      constantBytes: constantBytes(buildGraph(changed)),
    };
    stages.push(report);
    const changes = changesOf(current, changed);
    const tensors = await checkpoints.put(RESULT, {
      value: { changes: changes.value, report },
      tensors: changes.tensors,
    });
    if (changed !== current) current = withChanges(current, { value: changes.value, tensors });
  }
  return { vit: current, stages };
}

/** Training images that a stage asked for, and how many it was given. */
interface Draw {
  readonly purpose: Purpose;
  readonly asked: number;
  readonly given: number;
}

/** A source of images that notes what is drawn of it. */
function noting(source: CalibrationSource, draws: Draw[]): CalibrationSource {
  const noted = async <P extends Purpose>(
    asked: number,
    drawn: Promise<Calibration<P>>,
  ): Promise<Calibration<P>> => {
    const images = await drawn;
    draws.push({ purpose: images.purpose, asked, given: images.count });
    return images;
  };
  return {
    ...{ labels: source.labels, bytes: source.bytes },
    images: (count) => noted(count, source.images(count)),
    holdout: (count) => noted(count, source.holdout(count)),
  };
}

/** Facts of a stage that say, too, when it was given fewer images than it asked for: than the most, where it asked more than once. */
function withDraws(facts: StageFacts, draws: readonly Draw[]): StageFacts {
  const short = (['calibration', 'check'] as const).flatMap((purpose) => {
    const [fewer] = draws
      .filter((draw) => draw.purpose === purpose && draw.given < draw.asked)
      .sort((a, b) => b.asked - a.asked);
    if (fewer === undefined) return [];
    const label = purpose === 'check' ? 'training images to check on' : 'training images to calibrate on';
    return [{ label, value: fewer.given, unit: 'count' as const, of: fewer.asked }];
  });
  return short.length === 0 ? facts : { ...facts, headline: [...facts.headline, ...short] };
}

/**
 * What a stage did, read from its report as it is stored.
 *
 * @param stage - which
 * @param report - its report
 * @param options - its options
 * @throws ZodError when the report is none of the stage's
 */
function factsOf(stage: Stage, report: unknown, options: object): StageFacts {
  return stage.summarise(stage.report.parse(JSON.parse(JSON.stringify(report))), options);
}

/**
 * What a stage reported, as it was stored.
 *
 * @param stage - which
 * @param reports - of a finished pipeline
 * @returns the first of the stage
 * @throws Error when the recipe has no such stage
 */
export function reportOf<Report extends object>(
  stage: Pick<Stage<object, Report>, 'name' | 'report'>,
  reports: readonly Pick<StageReport, 'stage' | 'report'>[],
): Report {
  const found = reports.find((each) => each.stage === stage.name);
  if (found === undefined) throw new Error(`the recipe has no stage called ${stage.name}`);
  return stage.report.parse(JSON.parse(JSON.stringify(found.report)));
}
