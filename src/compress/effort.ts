import { tokensAt, type ViTConfig } from '../vit/config.js';
import { linearRoles, linearWidths } from '../vit/linears.js';
import { multiplications, SLOPES } from './merge-tokens/schedule.js';
import type { Step } from './recipe.js';

/** Multiplications in the time that one multiplication of a block takes: in float64, and in a search that rounds weights. */
const [FLOAT64, ROUNDED] = [2, 2];

/** Candidates that the searches of quantising try on each linear. */
const CANDIDATES = 24;

/** How many times a model's multiplications a pass takes on which channels are observed. */
const OBSERVED = 1.3;

/**
 * About how many multiplications each step of a recipe takes: from shapes, for the time that is left. Which widths and schedules
 * will be found is not known before the work is done, so that budgets count as what they ask for.
 *
 * @param config - the architecture before the first step
 * @param steps - the recipe's
 */
export function effortsOf(config: ViTConfig, steps: readonly Step[]): number[] {
  let now = config;
  /** Of what is multiplied in an image, the share that merging tokens leaves. */
  let share = 1;
  return steps.map((step): number => {
    const image = multiplications(now) * share;
    switch (step.stage) {
      case 'profile':
        return step.options.images * image * OBSERVED;
      case 'prune': {
        const { images, ratio = 0.5, allocation, budget, importance, compensation } = step.options;
        const passes = budget !== undefined || allocation === 'global' ? 2 : 1;
        const products = now.mlpSizes.reduce(
          (sum, size, layer) => sum + images * tokensAt(now, layer + 1) * share * size ** 2 * 0.6,
          0,
        );
        // Two factors and an inverse, n³ / 6 each.
        const solved = Number(importance === 'obs') * 2 + Number(compensation === 'least-squares') * 2;
        const algebra = now.mlpSizes.reduce((sum, size) => sum + (FLOAT64 * solved * size ** 3) / 6, 0);
        now = { ...now, mlpSizes: now.mlpSizes.map((size) => Math.ceil(size * (1 - ratio))) };
        return passes * (images * image + products + algebra) + images * multiplications(now) * share;
      }
      case 'merge-tokens': {
        const { images, r, budget } = step.options;
        const candidates = budget ? SLOPES.length : 1;
        const mean = Array.isArray(r) ? r.reduce((sum, count) => sum + count, 0) / r.length : (r ?? 0);
        const tokens = tokensAt(now, 0);
        const left = budget ? 1 / budget.speed : Math.max(1 - (mean * now.mlpSizes.length) / tokens / 2, 0.1);
        share *= left;
        return images * image * (1 + candidates * left);
      }
      case 'precision':
        return step.options.images * image * OBSERVED;
      case 'quantize': {
        const { images, rows, alpha, budget } = step.options;
        const weights = now.mlpSizes.reduce(
          (sum, _, layer) =>
            sum +
            linearRoles.reduce((all, role) => {
              const [inputs, outputs] = linearWidths(now, layer, role);
              return all + inputs * outputs;
            }, 0),
          0,
        );
        const searches = alpha === 'search' ? CANDIDATES : CANDIDATES / 2;
        const checks = (budget?.images ?? 0) * 3 * image;
        return images * image * 1.8 + ROUNDED * searches * rows * weights + checks;
      }
      case 'head':
        return (step.options.images * 4 * image) / 3;
    }
  });
}
