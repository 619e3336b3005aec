import { withMerges } from '../compress/merge-tokens/stage.js';
import { plannedModel } from '../compress/planned.js';
import { withWidths } from '../compress/stand-ins.js';
import type { Recipe } from '../compress/recipe.js';
import { isStepOf, stepOf, type Step } from '../compress/stage.js';
import { mergeTokensStage } from '../compress/stages/merge-tokens.js';
import { pruneStage } from '../compress/stages/prune.js';
import { quantizeStage } from '../compress/stages/quantize.js';
import type { ViT } from '../vit/vit.js';

/** How the MLPs are pruned. */
export interface PruneSetting {
  /** Share of the neurons. */
  readonly ratio: number;
  /** Width of each block's MLP that comes of it. */
  readonly widths: readonly number[];
}

/** What a search turns; all undefined is the model as it was trained. */
export interface Settings {
  readonly prune: PruneSetting | undefined;
  /** Tokens that each block merges. */
  readonly merges: readonly number[] | undefined;
  /** Linears that stay float while the others become INT8; undefined leaves all float. */
  readonly keep: readonly string[] | undefined;
  /** Images that run at once; undefined runs the whole batch. */
  readonly microBatch: number | undefined;
}

/** The model as it was trained. */
export const untouched: Settings = {
  prune: undefined,
  merges: undefined,
  keep: undefined,
  microBatch: undefined,
};

/**
 * The recipe that stands for settings.
 *
 * @param name - of the recipe
 * @param description - one sentence
 * @param settings - the settings
 */
export function recipeOf(
  name: string,
  description: string,
  { prune, merges, keep, microBatch }: Settings,
): Recipe {
  const steps: Step[] = [];
  if (prune) steps.push(stepOf(pruneStage, { ratio: prune.ratio }));
  if (merges) steps.push(stepOf(mergeTokensStage, { r: [...merges] }));
  if (keep) steps.push(stepOf(quantizeStage, { keep: [...keep] }));
  return { name, description, steps, microBatch };
}

/**
 * A model of the shapes and formats that settings lead to, with stand-ins for weights: what latency and memory depend on.
 *
 * @param vit - the model as it was trained
 * @param settings - the settings
 */
export function shapeOf(vit: ViT, settings: Settings): ViT {
  const { prune, merges } = settings;
  const narrowed = prune ? withWidths(vit, prune.widths) : vit;
  const merged = merges ? withMerges(narrowed, merges) : narrowed;
  const { steps } = recipeOf('shape', '', settings);
  return plannedModel(
    merged,
    steps.filter((step) => isStepOf(quantizeStage, step)),
  );
}

/** Settings in a few words, such as `MLP −33 %, 63 tokens merged (12 to 9 a block), INT8, 4 at a time`. */
export function settingsWords({ prune, merges, keep, microBatch }: Settings): string {
  const words = [
    prune && `MLP −${Math.round(100 * prune.ratio)} %`,
    merges && mergesWords(merges),
    keep === undefined ? 'float' : keep.length === 0 ? 'INT8' : `INT8 but ${keep.length} linears`,
    microBatch !== undefined && `${microBatch} at a time`,
  ];
  return words.filter(Boolean).join(', ');
}

/** Schedules that merge as many tokens differ in how they divide them among the blocks. */
function mergesWords(merges: readonly number[]): string {
  const some = merges.filter((count) => count > 0);
  const [first, last] = [some[0], some.at(-1)];
  const each = first === last ? `${first} a block` : `${first} to ${last} a block`;
  return `${some.reduce((sum, count) => sum + count, 0)} tokens merged (${some.length === 1 ? 'in 1 block' : each})`;
}

/** Tells settings apart: those that are one and the same recipe have one key. */
export function keyOf({ prune, merges, keep, microBatch }: Settings): string {
  return JSON.stringify([prune?.ratio, merges, keep, microBatch]);
}
