import { constantBytes } from '../onnx/liveness.js';
import { parameterCount, type ViT } from '../vit/vit.js';
import { buildGraph } from '../vit/graph/model.js';
import type { StageContext } from './context.js';
import { effortsOf } from './effort.js';
import { mergeTokens, type MergeTokensReport } from './merge-tokens/stage.js';
import { head, type HeadReport } from './head/stage.js';
import { startPace } from './pace.js';
import { precision, type PrecisionReport } from './precision/stage.js';
import { profile, type ProfileDetails, type ProfileReport } from './profile/stage.js';
import { prune, type PruneReport } from './prune/stage.js';
import { quantize, type QuantizeReport } from './quantize/stage.js';
import type { Recipe, Step } from './recipe.js';
import { changesOf, withChanges, type Changes, type CheckpointStore } from './checkpoints.js';

/** What a stage reports of its own. */
export type OwnReport =
  | { readonly stage: 'profile'; readonly report: ProfileReport; readonly details: ProfileDetails }
  | { readonly stage: 'prune'; readonly report: PruneReport }
  | { readonly stage: 'merge-tokens'; readonly report: MergeTokensReport }
  | { readonly stage: 'precision'; readonly report: PrecisionReport }
  | { readonly stage: 'quantize'; readonly report: QuantizeReport }
  | { readonly stage: 'head'; readonly report: HeadReport };

/** One stage of a finished pipeline. */
export type StageReport = OwnReport & {
  readonly options: Step['options'];
  readonly seconds: number;
  /** Of the model after the stage. */
  readonly parameters: number;
  /** Bytes of the model's constants after the stage, as they lie in memory. */
  readonly constantBytes: number;
};

/** A compressed model and how it came to be. */
export interface Compressed {
  readonly vit: ViT;
  readonly stages: readonly StageReport[];
}

/** What a pipeline is given; where each stage stands in the recipe it tells them itself. */
export interface PipelineContext extends Omit<
  StageContext,
  'remaining' | 'microBatch' | 'checkpoints' | 'workedBefore' | 'onProgress'
> {
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
  const pace = startPace(effortsOf(vit.config, recipe.steps));
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
    const within: StageContext = {
      ...context,
      checkpoints,
      workedBefore: (seconds) => {
        before += seconds;
        pace.found();
      },
      remaining: recipe.steps.slice(index + 1),
      microBatch: recipe.microBatch,
      onProgress: (done, what) => {
        const { done: all, secondsLeft } = pace.at(index, done);
        context.onProgress(all, `${step.stage}: ${what}`, secondsLeft);
      },
    };
    within.onProgress(0, 'starting');
    const { vit: changed, own } = await runStep(current, step, within);
    const report: StageReport = {
      ...own,
      options: step.options,
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

async function runStep(vit: ViT, step: Step, context: StageContext): Promise<{ vit: ViT; own: OwnReport }> {
  switch (step.stage) {
    case 'profile': {
      const { report, details, ...result } = await profile(vit, context, step.options);
      return { ...result, own: { stage: 'profile', report, details } };
    }
    case 'prune': {
      const { report, ...result } = await prune(vit, context, step.options);
      return { ...result, own: { stage: 'prune', report } };
    }
    case 'merge-tokens': {
      const { report, ...result } = await mergeTokens(vit, context, step.options);
      return { ...result, own: { stage: 'merge-tokens', report } };
    }
    case 'precision': {
      const { report, ...result } = await precision(vit, context, step.options);
      return { ...result, own: { stage: 'precision', report } };
    }
    case 'quantize': {
      const { report, ...result } = await quantize(vit, context, step.options);
      return { ...result, own: { stage: 'quantize', report } };
    }
    case 'head': {
      const { report, ...result } = await head(vit, context, step.options);
      return { ...result, own: { stage: 'head', report } };
    }
  }
}
