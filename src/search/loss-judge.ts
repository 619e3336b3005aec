import { calibrationSource } from '../compress/calibration.js';
import type { LossKind } from '../compress/loss.js';
import { chosenClasses } from '../compress/observe/logits.js';
import { fp32 } from '../compress/recipe.js';
import { finite } from '../compress/weights.js';
import { artifactOf, type Artifact } from '../run/artifacts/artifact.js';
import type { BuildContext } from '../run/artifacts/build-context.js';
import type { LoadedModel } from '../model/load.js';
import { tokenCount } from '../vit/config.js';
import { openHoldout } from './holdout.js';
import { judgeBy, type JudgedLoss } from './judged-loss.js';

/** Held-out images that are classified in about so many seconds judge a recipe; a quarter of them judge a knob. */
const JUDGING_SECONDS = 20;
const MOST_IMAGES = 8192;
const LEAST_IMAGES = 64;
const SHARE_FOR_KNOBS = 1 / 4;
const LEAST_IMAGES_FOR_KNOBS = 512;

/** Says what artifacts lose against the model as it was trained. */
export interface LossJudge {
  readonly kind: LossKind;
  /** Images that recipes are judged on. */
  readonly images: number;
  /** How many could be classified in the time for judging: more than `images` where no more are held out. */
  readonly affordable: number;
  /** Share of them that the model as it was trained classifies rightly; undefined for weights from a seed. */
  readonly accuracy: number | undefined;
  /** The artifact of the model as it was trained. */
  readonly trained: Artifact;
  /** What a recipe loses, on all images. */
  recipe(artifact: Artifact): Promise<JudgedLoss>;
  /** What one position of a knob loses, on some of them. */
  knob(artifact: Artifact): Promise<JudgedLoss>;
}

/**
 * Opens the judge of losses, on held-out training images: as many as can be classified in a while.
 *
 * @param model - the model
 * @param context - runtime and training images
 * @param millisecondsPerImage - of the model as it was trained
 * @throws InputError when the model as it was trained gives logits that are not finite
 */
export async function openLossJudge(
  model: LoadedModel,
  context: BuildContext,
  millisecondsPerImage: number,
): Promise<LossJudge> {
  const { engine, threads, train, seed, signal } = context;
  const { config } = model.vit;
  const inTime = Math.floor((JUDGING_SECONDS * 1000) / millisecondsPerImage);
  const affordable = Math.min(MOST_IMAGES, Math.max(LEAST_IMAGES, inTime));
  const tokens = tokenCount(config);
  const source = calibrationSource(engine, threads, train, model.preprocessing, tokens, seed, { signal });
  const images = await source.holdout(affordable);
  const holdout = await openHoldout(engine, threads, images, () => {
    signal.throwIfAborted();
  });
  const { count, classes } = holdout;
  const trained = await artifactOf(model, fp32, context);
  const kind: LossKind = model.synthetic ? 'agreement' : 'accuracy';
  const logits = finite(await holdout.logits(trained, config, count), `the logits of ${model.name}`);
  const chosenBy = (of: Float32Array): Uint16Array =>
    Uint16Array.from(chosenClasses(of, config.labels.length));
  const reference = chosenBy(logits);
  const judge = judgeBy(kind, logits, classes, reference);
  const right = reference.filter((choice, image) => choice === classes[image]).length;
  const few = Math.max(LEAST_IMAGES_FOR_KNOBS, Math.floor(count * SHARE_FOR_KNOBS));
  const lost = async (artifact: Artifact, wanted: number): Promise<JudgedLoss> =>
    judge(chosenBy(await holdout.logits(artifact, config, wanted)));
  return {
    ...{ kind, trained, images: count, affordable },
    accuracy: model.synthetic ? undefined : right / count,
    recipe: (artifact) => lost(artifact, count),
    knob: (artifact) => lost(artifact, few),
  };
}
