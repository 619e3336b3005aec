import { defined } from '../base/defined.js';
import { pairedDifference, type PairedOutcomes } from '../stats/mcnemar.js';
import type { ViT } from '../vit/vit.js';
import type { Calibration, StageContext } from './context.js';
import { lossOf, outcomesOf, type Loss, type LossKind } from './loss.js';
import type { Margins } from './margins.js';
import { referenceOn, STEADY } from './reference.js';
import { chosenClasses } from './observe/logits.js';
import { openModel } from './observe/opened.js';

/** Images that run between two looks at what was lost so far. */
const AT_ONCE = 32;

/** A model that loses more than may be lost with this confidence is judged no further. */
const HOPELESS = 0.99;

/** What a model loses on held-out images. */
export interface Judged extends Loss {
  /** Images that the model ran on: all others were too sure to change. */
  readonly ran: number;
  /** What the loss stays below with the confidence that was asked for, in percentage points. */
  readonly atMost: number;
  /** Whether that is within what may be lost; false also for what was given up because it is sure to lose more. */
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
 * which are few.
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
  const known = await referenceOn(context, reference, images, progress);
  const isRight = (image: number): boolean => known.chosen[image] === images.classes[image];
  const right = Array.from(images.classes.keys()).filter(isRight).length;
  return {
    ...{ kind, images: images.count, margins: known.margins },
    accuracy: kind === 'accuracy' ? right / images.count : undefined,
    async judge(vit, bound) {
      const model = await openModel(context, vit);
      const ownChoice = new Map<number, number>();
      const after = (): Uint16Array => known.chosen.map((choice, image) => ownChoice.get(image) ?? choice);
      let [ran, steady, passes] = [0, 0, true];
      try {
        while (passes && ran < images.count && steady < STEADY) {
          const chunk = await known.leastSure(ran, ran + AT_ONCE);
          const chosen = chosenClasses(await model.outputs(images.only(chunk)), classes);
          for (const [at, image] of chunk.entries()) {
            const choice = defined(chosen[at], 'the class of an image');
            steady = choice === known.chosen[image] ? steady + 1 : 0;
            ownChoice.set(image, choice);
          }
          ran += chunk.length;
          const outcomes = outcomesOf(kind, images.classes, known.chosen, after());
          const reachable = Array.from(images.classes.keys()).filter(
            (image) => !ownChoice.has(image) && !isRight(image),
          ).length;
          // What did not run yet is taken to stay as it is: where agreement counts nothing can be won at all.
          passes = mayPass(outcomes, images.count, bound, kind === 'accuracy' ? reachable : 0);
        }
      } finally {
        await model.close();
      }
      const outcomes = outcomesOf(kind, images.classes, known.chosen, after());
      const atMost = mostLost(outcomes, images.count, bound);
      const loss = lossOf(kind, images.classes, known.chosen, after());
      return { ...loss, ran, atMost, passes: passes && atMost <= bound.points };
    },
  };
}

/** What a loss stays below with the confidence that was asked for, in points. */
function mostLost(outcomes: PairedOutcomes, images: number, { confidence }: LossBound): number {
  // Of an interval with both ends, each is missed by half of what is left.
  return pairedDifference(outcomes, images, 2 * confidence - 1).high;
}

/**
 * Whether a model that ran on some of the images may still pass. It may not where it is sure to lose too much on them; nor where it
 * would lose too much even if images that are still to run, and that the reference gets wrong, came out right.
 *
 * @param outcomes - of the images that it ran on
 * @param images - how many there are in all
 * @param bound - what may be lost
 * @param reachable - images that did not run yet, and that the reference gets wrong
 */
export function mayPass(
  outcomes: PairedOutcomes,
  images: number,
  bound: LossBound,
  reachable: number,
): boolean {
  if (pairedDifference(outcomes, images, HOPELESS).low > bound.points) return false;
  // The most that can be won is not always best: of few images that differ, more leave less certain.
  for (let won = reachable; won >= 0; won--) {
    const best = { ...outcomes, onlySecond: outcomes.onlySecond + won };
    if (mostLost(best, images, bound) <= bound.points) return true;
  }
  return false;
}
