import { defined } from '../base/defined.js';
import type { ViT } from '../vit/vit.js';
import type { CheckpointStore } from './checkpoints.js';
import type { Calibration, StageContext } from './context.js';
import { marginsOf, type Margins } from './margins.js';
import { chosenClasses } from './observe/logits.js';
import { openModel, type OpenedModel } from './observe/opened.js';
import { roughly } from './quantize/rough.js';

/** Raised whenever the same model would give other logits or another order: recipes share them. */
const REFERENCE_VERSION = 2;

/** Images of which logits are computed, and kept, at a time. */
const PART = 256;

/** Images of which the model is least sure: candidates that lose half a point stop before their end. */
const FIRST = 2 * PART;

/** Of fewer images the model itself takes hardly longer than a rough one and then the model on the first of them. */
const WORTH_ORDERING = 2 * FIRST;

/** How many times as fast the rough model is, about: for the progress. */
const ROUGH_SPEED = 3;

/** When so many images in a row kept their class, those of which a model is surer keep it, too. */
export const STEADY = 128;

/** A model on the images that judge others against it. */
export interface Reference {
  /**
   * Its class of each image. Of those that it is surest of, and that nothing has asked for yet, the class is that of the same model in
   * INT8.
   */
  readonly chosen: Uint16Array;
  /** How sure it is of the images, as far as is known when it is opened. */
  readonly margins: Margins;
  /**
   * Images in the order in which it is sure of them, the least sure first; their `chosen` is that of the model itself from then on.
   *
   * @param from - the first, counted from 0
   * @param to - the one behind the last
   */
  leastSure(from: number, to: number): Promise<readonly number[]>;
}

/**
 * Runs a model on images, though on the first alone of those that it is least sure of: which these are, a rough INT8 of it says, which runs
 * on all. It must have the same class as the model for `STEADY` images in a row, as they become surer: the model runs on more images until
 * that is so.
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

  /** Runs images through a model and puts down what its logits are. */
  const run = async (
    make: () => Promise<ViT>,
    name: string,
    which: readonly number[],
    onProgress: (done: number) => void,
  ): Promise<void> => {
    const model = openedWhenAsked(async () => openModel(context, await make()));
    try {
      for (let first = 0; first < which.length; first += PART) {
        onProgress(first);
        const part = which.slice(first, first + PART);
        const made = await remembered(context, checkpoints, `${name}.${first}`, async () =>
          (await model.open()).logits(images.only(part)),
        );
        for (const [at, image] of part.entries())
          logits.set(made.subarray(at * classes, (at + 1) * classes), image * classes);
      }
    } finally {
      await model.close();
    }
  };

  const order = Array.from({ length: count }, (_, image) => image);
  const first = count > WORTH_ORDERING ? FIRST : count;
  const share = first === count ? 0 : count / (count + ROUGH_SPEED * first);
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
    chosen,
    margins: marginsOf(logits, classes),
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

/** A model that is opened when it is asked for, if it is. */
function openedWhenAsked(make: () => Promise<OpenedModel>): {
  open(): Promise<OpenedModel>;
  close(): Promise<void>;
} {
  let opened: OpenedModel | undefined;
  return {
    open: async () => (opened ??= await make()),
    close: async () => opened?.close(),
  };
}

/** Logits that were kept, or are computed now and kept. */
async function remembered(
  context: StageContext,
  checkpoints: CheckpointStore,
  name: string,
  compute: () => Promise<Float32Array>,
): Promise<Float32Array> {
  const kept = await checkpoints.take<{ logits: Float32Array; seconds: number }>(name);
  if (kept !== undefined) {
    context.workedBefore(kept.value.seconds);
    return kept.value.logits;
  }
  const started = performance.now();
  const logits = await compute();
  const value = { logits, seconds: (performance.now() - started) / 1000 };
  await checkpoints.put(name, { value, tensors: new Map() });
  return logits;
}
