import type { Cost } from './device-model.js';
import { hypervolume } from './hypervolume.js';
import { paretoFront } from './pareto.js';
import { comparison, promising, type PredictedRecipe } from './predicted-recipes.js';
import { keyOf, type Settings } from './settings.js';
import { distance, type Figures } from './target-check.js';
import type { Target } from './target.js';

/** What choosing goes by. */
export interface Known {
  /** All that could be made. */
  readonly recipes: readonly PredictedRecipe[];
  /** Settings that are not to be made again: the model as it was trained, what was measured, what was left out. */
  readonly settings: readonly Settings[];
  /** What was measured of recipes, and how far from the target that is. */
  readonly measured: readonly (Figures & { readonly distance: number })[];
}

/**
 * Chooses what to make and measure next.
 *
 * @param known - what is known so far
 * @param count - at most so many
 * @returns empty where nothing is left that promises anything
 */
export type Choose = (known: Known, count: number) => PredictedRecipe[];

/** Until so many were measured, predictions are not trusted to say that nothing better is left. */
const LEAST_MEASURED = 5;

/**
 * Chooses what may serve a target better than all that was measured.
 *
 * @param target - what is asked
 * @param limits - what that allows
 */
export function towards(target: Target, limits: Figures): Choose {
  const compare = comparison(target);
  return ({ recipes, settings, measured }, count) => {
    const [best] = [...measured].sort(compare);
    const known = new Set(settings.map(keyOf));
    const isBetter = ({ predicted, settings: own }: PredictedRecipe): boolean =>
      !known.has(keyOf(own)) &&
      (best === undefined || compare({ ...predicted, distance: distance(predicted, limits) }, best) < 0);
    if (measured.length >= LEAST_MEASURED && !recipes.some(isBetter)) return [];
    return promising(recipes, target, limits, settings, count);
  };
}

/** Percentage points beyond which a loss is of no use, however fast and small the model. */
export const MOST_LOSS = 3;

/** What adds less than this share to the volume of what is known is not worth the time that making it takes. */
const WORTH_MAKING = 0.002;

/**
 * Chooses what makes the Pareto front of time, memory and loss better: each time what would add most to its hypervolume if it turned out
 * as predicted (the greedy form of Emmerich, Giannakoglou & Naujoks, "Single- and Multiobjective Evolutionary Optimization Assisted by Gaussian
 * Random Field Metamodels", IEEE Transactions on Evolutionary Computation, 2006, for predictions without a spread). Time and memory count by their
 * logarithms, since half as much is as good a step wherever it begins.
 *
 * @param fp32 - what the model takes as it was trained: what takes more of either is of no use, and chosen only where nothing was measured yet
 */
export function extending(fp32: Cost): Choose {
  const point = ({ milliseconds, peak, loss }: Figures): number[] => [
    Math.log(milliseconds / fp32.milliseconds),
    Math.log(peak / fp32.peak),
    // What was won on some images is not to count for more than that nothing was lost.
    Math.max(0, loss),
  ];
  const volume = (points: readonly number[][]): number => hypervolume(points, [0, 0, MOST_LOSS]);
  return ({ recipes, settings, measured }, count) => {
    const taken = new Set(settings.map(keyOf));
    const points = paretoFront(measured.map(point), (figures) => figures);
    const chosen: PredictedRecipe[] = [];
    while (chosen.length < count) {
      const before = volume(points);
      const [best] = recipes
        .filter((recipe) => !taken.has(keyOf(recipe.settings)))
        .map((recipe) => ({ recipe, gained: volume([...points, point(recipe.predicted)]) - before }))
        .sort((a, b) => b.gained - a.gained || a.recipe.predicted.loss - b.recipe.predicted.loss);
      const isFirst = measured.length + chosen.length === 0;
      if (best === undefined || (!isFirst && best.gained <= WORTH_MAKING * before)) break;
      chosen.push(best.recipe);
      taken.add(keyOf(best.recipe.settings));
      points.push(point(best.recipe.predicted));
    }
    return chosen;
  };
}
