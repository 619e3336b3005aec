import { defined } from '../base/defined.js';
import { pairedDifference } from '../stats/mcnemar.js';
import type { ViT } from '../vit/vit.js';
import type { Calibration, StageContext } from './context.js';
import { costOfChange, expectedLoss } from './expectation.js';
import { lossOf, outcomesOf, type Loss, type LossKind } from './loss.js';
import { marginsOf, type Margins } from './margins.js';
import { referenceOn, STEADY } from './reference.js';
import { chosenClasses } from './observe/logits.js';
import { openModel } from './observe/opened.js';

/** Images that run between two looks at what was lost so far. */
const AT_ONCE = 32;

/** What a model loses on held-out images. */
export interface Judged extends Loss {
  /** Images that the model ran on: all others were too sure to change. */
  readonly ran: number;
  /**
   * Percentage points that the images whose class changed are expected to cost: of accuracy, how much likelier the reference finds its own
   * class of each than the new one.
   */
  readonly expected: number;
  /**
   * What that stays below with the confidence that was asked for, in percentage points; what the counted loss stays below where the images are
   * so few that the limit of the expectation could not be within the bound even if no class changed.
   */
  readonly atMost: number;
  /** Whether that, and what was counted, is within what may be lost; false also for what was given up because it cannot be. */
  readonly passes: boolean;
}

/** What may be lost, and how sure that must be. */
export interface LossBound {
  /** Percentage points. */
  readonly points: number;
  /** 0.8 for a loss that exceeds the bound in one of five cases at most. */
  readonly confidence: number;
}

/** Says what models lose against a reference, on held-out training images. */
export interface Judge {
  readonly kind: LossKind;
  readonly images: number;
  /** Share of the images that the reference classifies rightly; undefined where accuracy means nothing. */
  readonly accuracy: number | undefined;
  /** How sure the reference is of the images. */
  readonly margins: Margins;
  /**
   * What a model loses.
   *
   * @param vit - the model
   * @param bound - what may be lost
   */
  judge(vit: ViT, bound: LossBound): Promise<Judged>;
}

/**
 * Opens a judge. A model runs on the images in the order in which the reference is sure of their classes (the distance of its two largest
 * logits), the least sure first, until `STEADY` in a row keep their class: small changes of the logits move only images near a boundary,
 * which are few. Whether such an image is right before or after is nearly a toss-up, and many of them would be needed to count which
 * is more often; how likely it is the reference knows, once it is honest about its certainty.
 *
 * @param context - runtime, and what models are judged by
 * @param reference - the model that others are compared with
 * @param images - images that neither was calibrated on
 * @param progress - what of the stage's progress running the reference is, from 0 to 1
 */
export async function openJudge(
  context: StageContext,
  reference: ViT,
  images: Calibration<'check'>,
  progress: readonly [from: number, to: number],
): Promise<Judge> {
  const kind = context.judgedBy;
  const classes = reference.config.labels.length;
  const { count, classes: truth } = images;
  const known = await referenceOn(context, reference, images, progress);
  const right = known.chosen.filter((choice, image) => choice === truth[image]).length;
  const cost = costOfChange(kind, known.logits, truth, known.chosen);
  return {
    ...{ kind, images: count, margins: marginsOf(known.logits, classes) },
    accuracy: kind === 'accuracy' ? right / count : undefined,
    async judge(vit, { points, confidence }) {
      const model = await openModel(context, vit);
      const after = new Map<number, number>();
      const costs: number[] = [];
      // Of an interval with both ends, each is missed by half of what is left.
      const bothEnds = 2 * confidence - 1;
      const limit = (): number => expectedLoss(costs, count, bothEnds).high;
      const enough = limit() <= points;
      let [ran, steady] = [0, 0];
      try {
        // What did not run yet can only add to the cost; counted, it may be won back.
        while ((!enough || limit() <= points) && ran < count && steady < STEADY) {
          const chunk = await known.leastSure(ran, ran + AT_ONCE);
          const chosen = chosenClasses(await model.outputs(images.only(chunk)), classes);
          for (const [at, image] of chunk.entries()) {
            const choice = defined(chosen[at], 'the class of an image');
            const same = choice === known.chosen[image];
            steady = same ? steady + 1 : 0;
            if (same) continue;
            after.set(image, choice);
            costs.push(cost(image, choice));
          }
          ran += chunk.length;
        }
      } finally {
        await model.close();
      }
      const chosen = known.chosen.map((choice, image) => after.get(image) ?? choice);
      const loss = lossOf(kind, truth, known.chosen, chosen);
      const { value: expected, high } = expectedLoss(costs, count, bothEnds);
      const atMost = enough
        ? high
        : pairedDifference(outcomesOf(kind, truth, known.chosen, chosen), count, bothEnds).high;
      return { ...loss, ran, expected, atMost, passes: atMost <= points && loss.points.value <= points };
    },
  };
}
