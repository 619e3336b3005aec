import { InputError } from '../base/errors.js';
import type { ViT } from '../vit/vit.js';
import { stageOf } from './registry.js';
import type { Step } from './stage.js';

/**
 * The shapes of what steps of a recipe will make of a model, with stand-ins for weights: it can be laid out, written and run for
 * its memory before any of the work is done.
 *
 * @param vit - the model now
 * @param steps - the steps that are still to come
 */
export function plannedModel(vit: ViT, steps: readonly Step[]): ViT {
  return steps.reduce((planned, step) => stageOf(step).shape(planned, step.options), vit);
}

/**
 * About how many multiplications each step of a recipe takes: from shapes, for the time that is left. Which widths and schedules
 * will be found is not known before the work is done, so that budgets count as what they ask for; and a step that does not fit
 * the shapes that are predicted may fit those that will be, so that none is refused here.
 *
 * @param vit - the model before the first step
 * @param steps - the recipe's
 */
export function effortsOf(vit: ViT, steps: readonly Step[]): number[] {
  let now = vit;
  return steps.map((step) => {
    const stage = stageOf(step);
    try {
      const effort = stage.effort(now, step.options);
      now = stage.shape(now, step.options);
      return effort;
    } catch (error) {
      if (error instanceof InputError) return 0;
      throw error;
    }
  });
}
