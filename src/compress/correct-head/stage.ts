import { InputError } from '../../base/errors.js';
import { withoutHead, type ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { scoresOf, type Classifier } from '../head/classifier.js';
import { withHead } from '../head/stage.js';
import { openBlas, type Blas } from '../linalg/blas.js';
import { outputsInParts } from '../observe/in-parts.js';
import { floatsOf } from '../weights.js';
import { chosenCorrection, type Lacking, type TriedPenalty } from './correction.js';
import { imagesOf, type CorrectHeadOptions } from './options.js';

/** The report of the stage. */
export interface CorrectHeadReport {
  /** Training images of the fit, those held out included. */
  readonly images: number;
  /** Training images that chose the penalty. */
  readonly holdout: number;
  /** The penalty with the least error on the images held out; undefined where none brought the logits closer, so that the head stayed. */
  readonly lambda: number | undefined;
  /**
   * Mean squared difference of the logits to the original model's, relative to their variance, on images held out; undefined for a model
   * that stays without a classifier.
   */
  readonly error: { readonly before: number; readonly after: number } | undefined;
  readonly tried: readonly TriedPenalty[];
}

/** Share of the time that the original model takes of what both take: about three quarters. */
const ORIGINAL = 0.75;

/** Of a model that stays without a classifier. */
const NOTHING: CorrectHeadReport = { images: 0, holdout: 0, lambda: undefined, error: undefined, tried: [] };

/**
 * Adds to the classifier what brings the compressed model's logits closest to the original model's: ridge regression in closed form from the
 * features that the head reads. No labels are looked at, and the model has the same operators as before. A probe, which no variant has in
 * the end, is left alone.
 *
 * @param vit - the model, compressed or not
 * @param context - runtime, training images and the model as it was before the recipe
 * @param options - how many images
 * @throws InputError where the original model has other classes, or none
 */
export async function correctHead(
  vit: ViT,
  context: StageContext,
  options: CorrectHeadOptions,
): Promise<{ vit: ViT; report: CorrectHeadReport }> {
  const { original } = context;
  if (original.probed) return { vit, report: NOTHING };
  const { labels } = vit.config;
  refuseOtherClasses(labels, original.vit.config.labels);
  const asked = imagesOf(options);
  const fit = await context.calibration.images(asked.fit);
  const check = await context.calibration.holdout(asked.check);
  const head = await headOf(vit);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const known = await lacking(vit, head, context, fit, 'fit', [0, 0.7], blas);
    const heldOut = await lacking(vit, head, context, check, 'check', [0.7, 0.95], blas);
    const chosen = await chosenCorrection(known, heldOut, labels.length, blas, (index, of) => {
      context.throwIfStopped();
      context.onProgress(0.95 + (0.05 * index) / of, `penalty ${index + 1} of ${of}`);
    });
    const { correction, before, best, tried } = chosen;
    const variance = heldOut.variance || 1;
    return {
      vit: correction ? withHead(vit, labels, sumOf(head, correction)) : vit,
      report: {
        ...{ images: fit.count + check.count, holdout: check.count },
        lambda: correction && best.lambda,
        error: {
          before: before / variance,
          after: (correction ? best.squaredError : before) / variance,
        },
        tried,
      },
    };
  } finally {
    await blas.close();
  }
}

function refuseOtherClasses(labels: readonly string[], original: readonly string[]): void {
  if (labels.length > 0 && labels.length === original.length) return;
  throw new InputError({
    source: 'recipe',
    place: 'correct-head',
    found: `a model with ${labels.length} classes, and ${original.length} before the recipe`,
    expected: 'a classifier of the same classes as before the recipe',
  });
}

/** What the head reads of images, and how far its logits are from the original model's, whose variance is added up over the classes. */
async function lacking(
  vit: ViT,
  head: Classifier,
  context: StageContext,
  images: Calibration,
  name: string,
  [from, to]: readonly [number, number],
  blas: Blas,
): Promise<Lacking & { readonly variance: number }> {
  const { original, checkpoints } = context;
  const { count } = images;
  const between = from + ORIGINAL * (to - from);
  const told =
    (what: string, start: number, end: number) =>
    (done: number): void => {
      context.onProgress(start + ((end - start) * done) / count, `${what}, ${done} of ${count} images`);
    };
  // Other recipes of the same model find them.
  const observations = await original.observations({ logits: images.hash });
  const target = await outputsInParts(
    context,
    () => Promise.resolve(original.vit),
    images,
    { store: observations, name: 'logits' },
    told('logits of the original model', from, between),
  );
  const read = await outputsInParts(
    context,
    () => Promise.resolve(withoutHead(vit)),
    images,
    { store: checkpoints, name: `features.${name}` },
    told('features', between, to),
  );
  const features = Float64Array.from(read);
  const logits = await scoresOf(head, features, blas);
  const mean = target.reduce((sum, value) => sum + value, 0) / target.length;
  const variance = target.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  return { features, lack: logits.map((logit, i) => target[i]! - logit), images: count, variance };
}

async function headOf(vit: ViT): Promise<Classifier> {
  return {
    weight: Float64Array.from(await floatsOf(vit, 'head.weight')),
    bias: Float64Array.from(await floatsOf(vit, 'head.bias')),
  };
}

/** The classifier that gives the sum of what two give. */
function sumOf(a: Classifier, b: Classifier): Classifier {
  return {
    weight: a.weight.map((value, i) => value + b.weight[i]!),
    bias: a.bias.map((value, i) => value + b.bias[i]!),
  };
}
