import { stageOf } from './registry.js';
import type { Step } from './stage.js';

/** What is wrong with the order of a recipe's steps, and at which of them. */
export interface OrderFault {
  readonly index: number;
  readonly stage: string;
  readonly found: string;
  readonly expected: string;
}

/**
 * Looks for a step that cannot follow those before it, so that a recipe is refused when it is read and not hours later.
 *
 * @param steps - of a recipe
 * @returns the first that is wrong; undefined when none is
 */
export function orderFault(steps: readonly Step[]): OrderFault | undefined {
  for (const [index, step] of steps.entries()) {
    const stage = stageOf(step);
    const before = steps.slice(0, index);
    if (stage.once && before.some((each) => each.stage === step.stage))
      return {
        ...{ index, stage: step.stage },
        found: `a second stage "${step.stage}"`,
        expected: 'one in a recipe',
      };
    const quantiser = before.find((each) => stageOf(each).quantisesAll?.(each.options));
    if (stage.needsFloat && quantiser)
      return {
        ...{ index, stage: step.stage },
        found: `the stage "${step.stage}" behind "${quantiser.stage}"`,
        expected: 'it before the stage that quantises: it changes float weights',
      };
  }
  return undefined;
}
