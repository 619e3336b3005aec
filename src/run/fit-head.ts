import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { cache } from '../cache/store.js';
import { calibrationSource } from '../compress/calibration.js';
import { noCheckpoints, type CheckpointStore } from '../compress/checkpoints.js';
import { headKinds, imagesOf, type HeadOptions } from '../compress/head/options.js';
import { head, withHead } from '../compress/head/stage.js';
import { fp32, type Recipe } from '../compress/recipe.js';
import { stageOf } from '../compress/registry.js';
import { floatsOf } from '../compress/weights.js';
import type { LoadedModel } from '../model/load.js';
import type { ModelRecord } from '../model/record.js';
import { VOTE_TEMPERATURE } from '../stats/neighbours.js';
import type { SuiteHead } from '../suite/head.js';
import { tokenCount } from '../vit/config.js';
import type { BuildContext } from './artifacts/build-context.js';
import { headKey, observationKey } from './artifacts/keys.js';
import { openCheckpoints } from './artifacts/stage-checkpoints.js';

const HEAD_FILE = 'head.json';

/** A fitted head in the cache. */
const storedSchema = z.object({
  weight: z.array(z.number()),
  bias: z.array(z.number()),
  fittedHead: z.object({
    kind: z.enum(headKinds),
    images: z.number(),
    holdout: z.number(),
    lambda: z.number(),
    holdoutAccuracy: z.number(),
  }),
});

/** What fitting needs. */
type FitContext = Omit<BuildContext, 'device'>;

/**
 * Sees to it that a model can be judged by the classes of the images. One that has no head, or one for another number of classes, gets a
 * head that is fitted on training images before anything else happens, so that all its variants share it; or stays without, to be scored by
 * its features: then what it gets is a probe, by which stages judge what they do, and which no variant has in the end. A fitted head is kept
 * in the cache.
 *
 * @param model - as it was loaded
 * @param asked - which head a model without one gets
 * @param context - runtime, training images, progress
 */
export async function withFittingHead(
  model: LoadedModel,
  asked: SuiteHead,
  context: FitContext,
): Promise<LoadedModel> {
  if (model.vit.config.labels.length === context.train.labels.length) return model;
  if (asked.kind === 'none') {
    const { vit, digest } = await fitted(model, { kind: 'ridge' }, context, true);
    const { neighbours, images } = asked;
    const { count } = context.train;
    return {
      ...model,
      ...{ vit, identity: hashJson({ probe: digest }) },
      scoredBy: {
        ...{ neighbours, temperature: VOTE_TEMPERATURE },
        ...(images <= count ? { images } : { images: count, asked: images }),
      },
    };
  }
  const { kind, images } = asked;
  const options = { kind, ...(images !== undefined && { images }) };
  const { vit, digest, fittedHead } = await fitted(model, options, context, false);
  return { ...model, vit, identity: digest, record: { ...model.record, fittedHead } };
}

/**
 * Refuses a recipe that fits a head to a model that stays without one.
 *
 * @param model - as `withFittingHead` gives it
 * @param recipe - what is to be made of it
 * @throws InputError naming the stage
 */
export function refuseRefit(
  { name, scoredBy }: Pick<LoadedModel, 'name' | 'scoredBy'>,
  recipe: Pick<Recipe, 'name' | 'steps'>,
): void {
  const refit = recipe.steps.find((step) => stageOf(step).classifier === 'refits');
  if (scoredBy === undefined || refit === undefined) return;
  throw new InputError({
    source: `recipe ${recipe.name}`,
    place: refit.stage,
    found: `a head for ${name}, which stays without one: its features are compared`,
    expected: `a recipe without the stage "${refit.stage}", or the head "ridge" or "logistic" in place of "none"`,
  });
}

/** The model with a head, from the cache or fitted now; the digest is of everything that it was made from. */
async function fitted(
  model: LoadedModel,
  options: HeadOptions,
  context: FitContext,
  isProbe: boolean,
): Promise<{
  readonly vit: LoadedModel['vit'];
  readonly digest: string;
  readonly fittedHead: ModelRecord['fittedHead'];
}> {
  const { engine, threads, train, seed, signal, onProgress } = context;
  const key = headKey(model, options, context, isProbe);
  const title = `${isProbe ? 'probe' : 'head'} for ${model.name}`;
  const entry = await cache().make(key, { title, signal }, async (folder) => {
    const kept = openCheckpoints([]);
    const observations = (about: object): Promise<CheckpointStore> =>
      kept.of(
        observationKey(model, fp32, 0, about, { ...context, device: undefined }),
        `observations of ${model.name}`,
      );
    const { vit, report } = await head(
      model.vit,
      {
        ...{ engine, threads, seed },
        calibration: calibrationSource(
          engine,
          threads,
          train,
          model.preprocessing,
          tokenCount(model.vit.config),
          seed,
          { signal },
        ),
        ...{ microBatch: undefined, measurePeak: undefined, checkpoints: noCheckpoints },
        observations,
        original: { vit: model.vit, probed: false, observations },
        judgedBy: 'accuracy',
        finished: (finished) => finished,
        workedBefore: () => undefined,
        onProgress: (done, what) => {
          onProgress(
            done,
            `fitting a ${isProbe ? 'probe' : 'head'} for ${train.labels.length} classes: ${what}`,
          );
        },
        throwIfStopped: () => {
          signal.throwIfAborted();
        },
      },
      options,
      isProbe ? 'never chosen' : 'refused',
    ).finally(() => {
      kept.release();
    });
    const { kind, images, holdout, lambda, holdoutAccuracy } = report;
    const elements = async (name: string): Promise<number[]> => [...(await floatsOf(vit, name))];
    const stored: z.infer<typeof storedSchema> = {
      weight: await elements('head.weight'),
      bias: await elements('head.bias'),
      fittedHead: { kind, images, holdout, lambda, holdoutAccuracy },
    };
    await writeFile(join(folder, HEAD_FILE), JSON.stringify(stored));
  });
  const stored = storedSchema.parse(JSON.parse(await readFile(join(entry.files, HEAD_FILE), 'utf8')));
  const classifier = { weight: Float64Array.from(stored.weight), bias: Float64Array.from(stored.bias) };
  const { fit, holdout } = imagesOf(options, train.labels.length);
  const asked = fit + holdout;
  return {
    vit: withHead(model.vit, train.labels, classifier),
    digest: key.digest,
    fittedHead: { ...stored.fittedHead, ...(stored.fittedHead.images < asked && { asked }) },
  };
}
