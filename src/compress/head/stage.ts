import { InputError } from '../../base/errors.js';
import { float32 } from '../../onnx/tensor.js';
import { weightShapes, withWeights, type ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { openBlas } from '../linalg/blas.js';
import { featuresFor } from '../observe/logits.js';
import { floatEntry } from '../weights.js';
import type { HeadOptions } from './options.js';
import { ridge, scoreOf, type Classifier, type Labelled, type Score } from './ridge.js';

/** A penalty that was tried, and how the head it gives does on images held out. */
export interface TriedPenalty extends Score {
  /** In units of the features' mean variance. */
  readonly lambda: number;
}

/** The report of the stage. */
export interface HeadReport {
  /** Training images of the fit, those held out included: with the penalty chosen, the head is fitted on all of them. */
  readonly images: number;
  /** Training images that chose the penalty. */
  readonly holdout: number;
  readonly classes: number;
  /** The penalty with the least squared error on the images held out. */
  readonly lambda: number;
  /** Share of the images held out that the head of that penalty, fitted without them, classifies rightly. */
  readonly holdoutAccuracy: number;
  readonly tried: readonly TriedPenalty[];
}

/** Half decades from next to nothing to more than the features themselves. */
const LAMBDAS = Array.from({ length: 13 }, (_, index) => 10 ** (index / 2 - 5));

/**
 * Gives a model a new classifier: ridge regression in closed form on what the last norm makes of the class token of training
 * images. The penalty is chosen on training images that the fit leaves out. Nothing else of the model changes.
 *
 * @param vit - the model, compressed or not; its own head is not looked at
 * @param context - runtime and training images
 * @param options - how many images
 * @throws InputError when the training images do not show every class
 */
export async function head(
  vit: ViT,
  context: StageContext,
  options: HeadOptions,
): Promise<{ vit: ViT; report: HeadReport }> {
  const { labels } = context.calibration;
  const fit = await context.calibration.images(options.images);
  const check = await context.calibration.holdout(Math.ceil(options.images / 3));
  const known = await labelled(vit, context, fit, 'fit', 'features, ', [0, 0.6]);
  const heldOut = await labelled(vit, context, check, 'check', 'features of images held out, ', [0.6, 0.8]);
  const missing = labels.find((_, index) => !known.classes.includes(index));
  if (missing !== undefined)
    throw new InputError({
      source: 'recipe',
      place: 'head.images',
      found: `${fit.count} training images, none of them of the class "${missing}"`,
      expected: 'images of every class',
      hint: 'Take more images.',
    });
  const blas = await openBlas(context.engine, context.threads);
  try {
    const fitted = await ridge(known, labels.length, blas);
    const tried: TriedPenalty[] = [];
    for (const [index, lambda] of LAMBDAS.entries()) {
      context.throwIfStopped();
      context.onProgress(0.8 + (0.15 * index) / LAMBDAS.length, `penalty ${index + 1} of ${LAMBDAS.length}`);
      tried.push({ lambda, ...scoreOf(await fitted(lambda), heldOut) });
    }
    const best = tried.reduce((least, each) => (each.squaredError < least.squaredError ? each : least));
    const all = await ridge(joined(known, heldOut), labels.length, blas);
    return {
      vit: withHead(vit, labels, await all(best.lambda)),
      report: {
        images: fit.count + check.count,
        holdout: check.count,
        classes: labels.length,
        lambda: best.lambda,
        holdoutAccuracy: best.accuracy,
        tried,
      },
    };
  } finally {
    await blas.close();
  }
}

async function labelled(
  vit: ViT,
  context: StageContext,
  images: Calibration,
  name: string,
  what: string,
  progress: readonly [number, number],
): Promise<Labelled> {
  const features = await featuresFor(context, vit, { name, images, what, progress });
  return { features: Float64Array.from(features), classes: images.classes };
}

function joined(a: Labelled, b: Labelled): Labelled {
  const features = new Float64Array(a.features.length + b.features.length);
  features.set(a.features);
  features.set(b.features, a.features.length);
  return { features, classes: Uint8Array.of(...a.classes, ...b.classes) };
}

/**
 * A model with another classifier.
 *
 * @param vit - the model
 * @param labels - the classes
 * @param classifier - weight and bias
 */
export function withHead(vit: ViT, labels: readonly string[], { weight, bias }: Classifier): ViT {
  const config = { ...vit.config, labels };
  const dims = weightShapes(config).get('head.weight')!;
  return withWeights({ ...vit, config }, [
    floatEntry(vit, 'head.weight', dims, weight),
    ['head.bias', float32([labels.length], Float32Array.from(bias))],
  ]);
}
