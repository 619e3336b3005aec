import { InputError } from '../../base/errors.js';
import { float32 } from '../../onnx/tensor.js';
import { weightShapes, withoutHead, withWeights, type ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { openBlas } from '../linalg/blas.js';
import { outputsInParts } from '../observe/in-parts.js';
import { floatEntry } from '../weights.js';
import type { Classifier, Labelled } from './classifier.js';
import { imagesOf, type HeadKind, type HeadOptions } from './options.js';
import { chosenHead, type TriedPenalty } from './penalty.js';

/** The report of the stage. */
export interface HeadReport {
  readonly kind: HeadKind;
  /** Training images of the fit, those held out included: with the penalty chosen, the head is fitted on all of them. */
  readonly images: number;
  /** Training images that chose the penalty. */
  readonly holdout: number;
  readonly classes: number;
  /** The penalty that does best on the images held out. */
  readonly lambda: number;
  /** Share of the images held out that the head of that penalty, fitted without them, classifies rightly. */
  readonly holdoutAccuracy: number;
  readonly tried: readonly TriedPenalty[];
}

/**
 * Gives a model a new classifier: a linear one of what the last norm makes of the tokens that a head reads, fitted on training images.
 * The penalty is chosen on training images that the fit leaves out. Nothing else of the model changes.
 *
 * @param vit - the model, compressed or not; its own head is not looked at
 * @param context - runtime and training images
 * @param options - which kind of fit, and how many images
 * @param unseen - what becomes of classes that none of the images shows: a head that only judges can do without them
 * @throws InputError when the training images do not show every class, and that is refused
 */
export async function head(
  vit: ViT,
  context: StageContext,
  options: HeadOptions,
  unseen: 'refused' | 'never chosen' = 'refused',
): Promise<{ vit: ViT; report: HeadReport }> {
  const { kind } = options;
  const { labels } = context.calibration;
  const asked = imagesOf(options, labels.length);
  const fit = await context.calibration.images(asked.fit);
  const check = await context.calibration.holdout(asked.holdout);
  if (unseen === 'refused') refuseUnseen(fit, labels);
  const known = await labelled(vit, context, fit, 'features', [0, 0.6]);
  const heldOut = await labelled(vit, context, check, 'features of images held out', [0.6, 0.8]);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const chosen = await chosenHead(kind, known, heldOut, labels.length, blas, (index, of) => {
      context.throwIfStopped();
      context.onProgress(0.8 + (0.15 * index) / of, `penalty ${index + 1} of ${of}`);
    });
    if (chosen === undefined) throw notFitted();
    const { classifier, best, tried } = chosen;
    return {
      vit: withHead(vit, labels, classifier),
      report: {
        ...{ kind, images: fit.count + check.count, holdout: check.count, classes: labels.length },
        ...{ lambda: best.lambda, holdoutAccuracy: best.accuracy, tried },
      },
    };
  } finally {
    await blas.close();
  }
}

function refuseUnseen({ classes, count }: Calibration, labels: readonly string[]): void {
  const seen = new Set(classes);
  const missing = labels.find((_, index) => !seen.has(index));
  if (missing === undefined) return;
  throw new InputError({
    source: 'recipe',
    place: 'head.images',
    found: `${count} training images, none of them of the class "${missing}"`,
    expected: 'images of every class',
    hint: 'Take more images.',
  });
}

function notFitted(): InputError {
  return new InputError({
    source: 'recipe',
    place: 'head.kind',
    found: 'features whose logistic regression has no minimum within reach of float64',
    expected: 'features that the search can tell apart',
    hint: 'kind: ridge is in closed form.',
  });
}

async function labelled(
  vit: ViT,
  context: StageContext,
  images: Calibration,
  what: string,
  [from, to]: readonly [number, number],
): Promise<Labelled> {
  const { count } = images;
  // Heads of another kind or other penalties find them.
  const observations = await context.observations({ features: images.hash });
  const features = await outputsInParts(
    context,
    () => Promise.resolve(withoutHead(vit)),
    images,
    { store: observations, name: 'features' },
    (done) => {
      context.onProgress(from + ((to - from) * done) / count, `${what}, ${done} of ${count} images`);
    },
  );
  return { features: Float64Array.from(features), classes: images.classes };
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
