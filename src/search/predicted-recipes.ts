import { defined } from '../base/defined.js';
import type { ViT } from '../vit/vit.js';
import type { DeviceModel } from './device-model.js';
import { distance, type Figures } from './target-check.js';
import { lossEstimate } from './judged-loss.js';
import type { Level, Levels } from './levels.js';
import type { LossModel } from './loss.js';
import { keyOf, shapeOf, untouched, type Settings } from './settings.js';
import type { Target } from './target.js';

/** A recipe that could be made, and what it would take. */
export interface PredictedRecipe {
  readonly settings: Settings;
  /** Percentage points that its stages lose, each alone, added up. */
  readonly alone: number;
  readonly predicted: Figures;
}

/** Settings with the shape that they lead to: of the many that differ in how a batch is cut, one for all. */
interface Shaped {
  readonly settings: Settings;
  readonly shape: ViT;
  readonly alone: number;
}

/**
 * Every combination of the levels, in every cut of the batch.
 *
 * @param vit - the model as it was trained
 * @param levels - the positions of each knob
 * @param batch - images
 * @returns a function that predicts them all; shapes are made once
 */
export function enumerate(
  vit: ViT,
  { prune, merge, quantize }: Levels,
  batch: number,
): (device: DeviceModel, losses: LossModel) => PredictedRecipe[] {
  const shaped: Shaped[] = [];
  for (const levels of product(prune, merge, quantize)) {
    const settings = levels.reduce<Settings>((all, level) => ({ ...all, ...level.settings }), untouched);
    const alone = levels.reduce((sum, { loss }) => sum + (loss ? lossEstimate(loss).value : 0), 0);
    shaped.push({ settings, shape: shapeOf(vit, settings), alone });
  }
  const cuts = cutsOf(batch);
  return (device, losses) =>
    shaped.flatMap(({ settings, shape, alone }) =>
      cuts.map((microBatch) => ({
        settings: { ...settings, microBatch },
        alone,
        predicted: { ...device.predict({ shape, batch, microBatch }), loss: losses.predict(alone) },
      })),
    );
}

function product(...lists: readonly (readonly Level[])[]): Level[][] {
  return lists.reduce<Level[][]>(
    (combined, list) => combined.flatMap((start) => list.map((level) => [...start, level])),
    [[]],
  );
}

/** The whole batch at once, or a half, a quarter … of it. */
function cutsOf(batch: number): (number | undefined)[] {
  const cuts: (number | undefined)[] = [undefined];
  for (let size = Math.ceil(batch / 2); size < (cuts.at(-1) ?? batch); size = Math.ceil(size / 2))
    cuts.push(size);
  return cuts;
}

/** What recipes are compared by: how far from the target, and then what a target minimises. */
type Comparable = Figures & { readonly distance: number };

/**
 * Sorts by how well figures serve a target: the nearest first; of those that meet it the one that loses least, or the fastest where
 * the target asks for neither time nor memory.
 */
export function comparison({ latency, memory }: Target): (a: Comparable, b: Comparable) => number {
  const forLoss = latency !== undefined || memory !== undefined;
  return (a, b) =>
    a.distance - b.distance ||
    (forLoss ? a.loss - b.loss || a.milliseconds - b.milliseconds : a.milliseconds - b.milliseconds);
}

/**
 * What is measured besides the best by prediction: the best for a target that is somewhat stricter or looser, since predictions err.
 * Factors on what time and memory, and what loss may be.
 */
const HEDGES = [
  { cost: 1, loss: 1 },
  { cost: 0.92, loss: 1 },
  { cost: 1, loss: 0.6 },
  { cost: 1, loss: 1.4 },
] as const;

/**
 * Chooses what to measure: the best by prediction, with some insurance.
 *
 * @param recipes - all that could be made
 * @param target - what is asked
 * @param limits - what that allows
 * @param known - settings that were measured before
 * @param count - at most so many
 */
export function promising(
  recipes: readonly PredictedRecipe[],
  target: Target,
  limits: Figures,
  known: readonly Settings[],
  count: number,
): PredictedRecipe[] {
  const compare = comparison(target);
  const chosen: PredictedRecipe[] = [];
  const taken = new Set(known.map(keyOf));
  for (let turn = 0; chosen.length < count && turn < 2 * count; turn++) {
    const { cost, loss } = defined(HEDGES[turn % HEDGES.length], 'a hedge');
    const hedged = {
      milliseconds: limits.milliseconds * cost,
      peak: limits.peak * cost,
      loss: limits.loss * loss,
    };
    const best = recipes
      .filter(({ settings }) => !taken.has(keyOf(settings)))
      .map((recipe) => ({
        recipe,
        figures: { ...recipe.predicted, distance: distance(recipe.predicted, hedged) },
      }))
      .sort((a, b) => compare(a.figures, b.figures))[0]?.recipe;
    if (best === undefined) break;
    chosen.push(best);
    taken.add(keyOf(best.settings));
  }
  return chosen;
}
