import { defined } from '../base/defined.js';
import type { ViT } from '../vit/vit.js';
import type { Calibration, StageContext } from './context.js';
import { marginsOf } from './margins.js';
import { outputsInParts, PART } from './observe/in-parts.js';
import { chosenClasses } from './observe/logits.js';
import { roughly } from './quantize/rough.js';

/** Raised whenever the same model would give other logits or another order: recipes share them. */
const REFERENCE_VERSION = 2;

/** How many of the images that it is least sure of the model runs on at first: candidates that lose half a point stop before their end. */
const FIRST = 2 * PART;

/** With no more images than this, the model on all of them takes hardly longer than a rough one on all and the model on the first. */
const WORTH_ORDERING = 2 * FIRST;

/** About how many times as fast the rough model is: for progress alone. */
const ROUGH_SPEED = 3;

/** Once this many images in a row have kept their class, those that the model is surer of keep theirs, too. */
export const STEADY = 128;

/**
 * What `referenceOn` takes, in images that pass through the model.
 *
 * @param count - how many images there are
 */
export function referenceEffort(count: number): number {
  return count > WORTH_ORDERING ? count / ROUGH_SPEED + FIRST : count;
}

/** A model on the images that judge others against it. */
export interface Reference {
  /**
   * Its class for each image. For those that it is surest of, and that nothing has asked for yet, it is the class that the same model in
   * INT8 gives.
   */
  readonly chosen: Uint16Array;
  /** `[images, classes]`: its logits, and where its `chosen` is that of the same model in INT8, the logits of that. */
  readonly logits: Float32Array;
  /**
   * Images in order of how sure it is of them, the least sure first; from then on their `chosen` is that of the model itself.
   *
   * @param from - the first, counted from 0
   * @param to - the one behind the last
   */
  leastSure(from: number, to: number): Promise<readonly number[]>;
}

/**
 * Runs a model on images, but only on those that it is least sure of: a rough INT8 version of it, which runs on all, says which these are.
 * As the images become surer, the two must agree on the class of `STEADY` of them in a row: until they do, the model runs on more images.
 *
 * @param context - runtime, progress and the store that recipes share
 * @param vit - the model
 * @param images - the images
 * @param progress - what of the stage's progress this is, from 0 to 1
 */
export async function referenceOn(
  context: StageContext,
  vit: ViT,
  images: Calibration<'check'>,
  [from, to]: readonly [from: number, to: number],
): Promise<Reference> {
  const { count } = images;
  const classes = vit.config.labels.length;
  const checkpoints = await context.observations({ reference: REFERENCE_VERSION, judge: images.hash });
  const logits = new Float32Array(count * classes);

  /** Runs images through a model and notes its logits. */
  const run = async (
    make: () => Promise<ViT>,
    name: string,
    which: readonly number[],
    onProgress: (done: number) => void,
  ): Promise<void> => {
    const made = await outputsInParts(
      context,
      make,
      images.only(which),
      { store: checkpoints, name },
      onProgress,
    );
    for (const [at, image] of which.entries())
      logits.set(made.subarray(at * classes, (at + 1) * classes), image * classes);
  };

  const order = Array.from({ length: count }, (_, image) => image);
  const first = count > WORTH_ORDERING ? FIRST : count;
  const share = 1 - first / referenceEffort(count);
  const told = (done: number, what: string): void => {
    context.onProgress(from + (to - from) * done, `images held out, ${what}`);
  };
  if (first < count) {
    await run(
      () => roughly(vit),
      'rough',
      [...order],
      (done) => {
        told((share * done) / count, `roughly, ${done} of ${count}`);
      },
    );
    leastSureFirst(order, logits, classes);
  }
  const chosen = Uint16Array.from(chosenClasses(logits, classes));
  let [known, steady] = [0, 0];
  const know = async (part: readonly number[], onProgress: (done: number) => void): Promise<void> => {
    await run(() => Promise.resolve(vit), `known.${known}`, part, onProgress);
    const now = chosenClasses(logits, classes);
    for (const image of part) {
      steady = now[image] === chosen[image] ? steady + 1 : 0;
      chosen[image] = defined(now[image], 'the class of an image');
    }
    order.splice(known, part.length, ...leastSureFirst([...part], logits, classes));
    known += part.length;
  };
  const next = (): readonly number[] => order.slice(known, known === 0 ? first : known + PART);
  do
    await know(next(), (done) => {
      told(share + (1 - share) * Math.min(1, (known + done) / first), `${known + done} of ${count}`);
    });
  while (known < count && steady < STEADY);
  return {
    ...{ chosen, logits },
    async leastSure(start, end) {
      while (known < Math.min(end, count)) await know(next(), () => undefined);
      return order.slice(start, end);
    },
  };
}

/** Sorts images by how far their two largest logits lie apart. */
function leastSureFirst(images: number[], logits: Float32Array, classes: number): number[] {
  const { apart } = marginsOf(logits, classes);
  const distance = (image: number): number => apart[image] ?? NaN;
  return images.sort((a, b) => distance(a) - distance(b) || a - b);
}
