import { correctHeadStage } from './stages/correct-head.js';
import { headStage } from './stages/head.js';
import { mergeTokensStage } from './stages/merge-tokens.js';
import { precisionStage } from './stages/precision.js';
import { profileStage } from './stages/profile.js';
import { pruneAttentionStage } from './stages/prune-attention.js';
import { pruneStage } from './stages/prune.js';
import { quantizeStage } from './stages/quantize.js';
import { resizePatchesStage } from './stages/resize-patches.js';
import { shrinkStage } from './stages/shrink.js';
import type { Stage } from './stage.js';

/** The stages that EdgeFlex brings: a line each. */
const builtIn: readonly Stage[] = [
  profileStage,
  resizePatchesStage,
  pruneStage,
  pruneAttentionStage,
  mergeTokensStage,
  shrinkStage,
  precisionStage,
  quantizeStage,
  correctHeadStage,
  headStage,
];

const stages = new Map(builtIn.map((stage) => [stage.name, stage]));

/**
 * Makes a stage known to recipes.
 *
 * @param stage - the stage
 * @throws RangeError when another stage has its name
 */
export function registerStage(stage: Stage): void {
  const known = stages.get(stage.name);
  if (known === stage) return;
  if (known !== undefined) throw new RangeError(`there is a stage called ${stage.name} already`);
  stages.set(stage.name, stage);
}

/** The stage of a name; undefined where there is none. */
export function findStage(name: string): Stage | undefined {
  return stages.get(name);
}

/**
 * The stage of a step whose recipe was read.
 *
 * @throws Error when there is none: parsing a recipe refuses unknown stages
 */
export function stageOf({ stage: name }: { readonly stage: string }): Stage {
  const stage = stages.get(name);
  if (stage === undefined) throw new Error(`no stage is called ${name}`);
  return stage;
}

/** All stages, EdgeFlex's own first, in the order in which recipes usually have them. */
export function allStages(): readonly Stage[] {
  return [...stages.values()];
}
