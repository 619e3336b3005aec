import { defined } from '../base/defined.js';
import { pairedDifference, type PairedOutcomes } from '../stats/mcnemar.js';
import type { ViT } from '../vit/vit.js';
import type { Calibration, StageContext } from './context.js';
import { lossOf, outcomesOf, type Loss, type LossKind } from './loss.js';
import { marginsOf, type Margins } from './margins.js';
import { chosenClasses } from './observe/logits.js';
import { openModel } from './observe/opened.js';

/** Images that run between two looks at what was lost so far. */
const AT_ONCE = 32;

/** Images of which the reference's logits are computed, and kept, at a time. */
const PART = 256;

/** When so many images in a row kept their class, those of which the model is surer keep it, too. */
const STEADY = 128;

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
 * Opens a judge. The reference runs on all images. A model runs on them in the order in which the reference is sure of their
 * classes (the distance of its two largest logits), the least sure first, until `STEADY` in a row keep their class: small changes of
 * the logits move only images near a boundary, which are few.
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
  const logits = await referenceLogits(context, reference, images, progress);
  const before = Uint16Array.from(chosenClasses(logits, classes));
  const margins = marginsOf(logits, classes);
  const leastSure = leastSureFirst(margins);
  const right = before.filter((choice, image) => choice === images.classes[image]).length;
  return {
    ...{ kind, images: images.count, margins },
    accuracy: kind === 'accuracy' ? right / images.count : undefined,
    async judge(vit, bound) {
      const after = before.slice();
      const model = await openModel(context, vit);
      let [ran, steady, passes] = [0, 0, true];
      let reachable = images.count - right;
      try {
        while (passes && ran < leastSure.length && steady < STEADY) {
          const chunk = leastSure.slice(ran, ran + AT_ONCE);
          const chosen = chosenClasses(await model.logits(images.only(chunk)), classes);
          for (const [at, image] of chunk.entries()) {
            steady = chosen[at] === before[image] ? steady + 1 : 0;
            after[image] = defined(chosen[at], 'the class of an image');
            if (before[image] !== images.classes[image]) reachable -= 1;
          }
          ran += chunk.length;
          const outcomes = outcomesOf(kind, images.classes, before, after);
          // What did not run yet is taken to stay as it is: where agreement counts nothing can be won at all.
          passes = mayPass(outcomes, images.count, bound, kind === 'accuracy' ? reachable : 0);
        }
      } finally {
        await model.close();
      }
      const outcomes = outcomesOf(kind, images.classes, before, after);
      const atMost = mostLost(outcomes, images.count, bound);
      const loss = lossOf(kind, images.classes, before, after);
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

/** Images in the order of how far their two largest logits lie apart. */
function leastSureFirst({ apart }: Margins): number[] {
  return Array.from(apart, (distance, image) => ({ distance, image }))
    .sort((a, b) => a.distance - b.distance || a.image - b.image)
    .map(({ image }) => image);
}

/**
 * The logits of the reference, `[images, classes]`: part by part, so that no more images are on their way than fit into memory, and
 * interrupted work goes on behind the last part.
 */
async function referenceLogits(
  context: StageContext,
  reference: ViT,
  images: Calibration<'check'>,
  [from, to]: readonly [from: number, to: number],
): Promise<Float32Array> {
  const classes = reference.config.labels.length;
  const checkpoints = await context.observations({ judge: images.hash });
  const all = new Float32Array(images.count * classes);
  const model = await openModel(context, reference);
  try {
    for (let first = 0; first < images.count; first += PART) {
      context.onProgress(
        from + ((to - from) * first) / images.count,
        `images held out, ${first} of ${images.count}`,
      );
      const name = `logits.${first}`;
      const kept = await checkpoints.take<{ logits: Float32Array; seconds: number }>(name);
      if (kept !== undefined) {
        context.workedBefore(kept.value.seconds);
        all.set(kept.value.logits, first * classes);
        continue;
      }
      const started = performance.now();
      const count = Math.min(PART, images.count - first);
      const part = images.only(Array.from({ length: count }, (_, image) => first + image));
      const logits = await model.logits(part);
      const value = { logits, seconds: (performance.now() - started) / 1000 };
      await checkpoints.put(name, { value, tensors: new Map() });
      all.set(logits, first * classes);
    }
  } finally {
    await model.close();
  }
  return all;
}
