import { stageOf } from './registry.js';
import type { Step } from './stage.js';

/** What is wrong with the order of a recipe's steps, and at which of them. */
export type OrderFault = { readonly index: number; readonly stage: string } & (
  | /** A recipe has the stage once. */ { readonly kind: 'second' }
  | /** It changes float weights, and an earlier stage has left none. */ {
      readonly kind: 'behind-quantiser';
      readonly quantiser: string;
    }
  | /** It takes no model that merges tokens, and an earlier stage has made it one. */ {
      readonly kind: 'behind-merging';
      readonly merging: string;
    }
  | /** One of the two undoes what the other does to the classifier. */ {
      readonly kind: 'two-classifiers';
      readonly other: string;
    }
  | /** The classifier was corrected for the model that an earlier stage was given, and the stage makes another of it. */ {
      readonly kind: 'behind-correction';
      readonly correction: string;
    }
);

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
      return { kind: 'second', index, stage: step.stage };
    const quantiser = before.find((each) => stageOf(each).quantisesAll?.(each.options));
    if (stage.needsFloat && quantiser)
      return { kind: 'behind-quantiser', index, stage: step.stage, quantiser: quantiser.stage };
    const merging = before.find((each) => stageOf(each).mergesTokens);
    if (stage.needsAllTokens && merging)
      return { kind: 'behind-merging', index, stage: step.stage, merging: merging.stage };
    const classifier = before.find((each) => stageOf(each).classifier !== undefined);
    if (stage.classifier && classifier && stageOf(classifier).classifier !== stage.classifier)
      return { kind: 'two-classifiers', index, stage: step.stage, other: classifier.stage };
    const correction = before.find((each) => stageOf(each).classifier === 'corrects');
    if (correction && !stage.changesNothing && !stage.onlyStores)
      return { kind: 'behind-correction', index, stage: step.stage, correction: correction.stage };
  }
  return undefined;
}
