import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cache } from '../cache/store.js';
import { calibrationSource } from '../compress/calibration.js';
import { headOptionsSchema } from '../compress/head/options.js';
import { head, withHead } from '../compress/head/stage.js';
import { noCheckpoints } from '../compress/checkpoints.js';
import { floatsOf } from '../compress/weights.js';
import { tokenCount } from '../vit/config.js';
import type { BuildContext } from './artifacts/build-context.js';
import { headKey } from './artifacts/keys.js';
import type { LoadedModel } from '../model/load.js';

const HEAD_FILE = 'head.json';

/** A fitted head in the cache. */
const storedSchema = z.object({
  weight: z.array(z.number()),
  bias: z.array(z.number()),
  fittedHead: z.object({
    images: z.number(),
    holdout: z.number(),
    lambda: z.number(),
    holdoutAccuracy: z.number(),
  }),
});

/**
 * Sees to it that a model has a head for the classes of the images: one that has none, or one for another number of classes,
 * gets a head that is fitted on training images before anything else happens, so that all its variants share it. A fitted
 * head is kept in the cache.
 *
 * @param model - as it was loaded
 * @param context - runtime, training images, progress
 */
export async function withFittingHead(
  model: LoadedModel,
  context: Omit<BuildContext, 'device'>,
): Promise<LoadedModel> {
  const { engine, threads, train, seed, signal, onProgress } = context;
  if (model.vit.config.labels.length === train.labels.length) return model;
  const options = headOptionsSchema.parse({});
  const key = headKey(model, options, context);
  const entry = await cache().make(key, { title: `head for ${model.name}`, signal }, async (folder) => {
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
        ),
        ...{ microBatch: undefined, measurePeak: undefined, checkpoints: noCheckpoints },
        finished: (fitted) => fitted,
        workedBefore: () => undefined,
        onProgress: (done, what) => {
          onProgress(done, `fitting a head for ${train.labels.length} classes: ${what}`);
        },
        throwIfStopped: () => {
          signal.throwIfAborted();
        },
      },
      options,
    );
    const { images, holdout, lambda, holdoutAccuracy } = report;
    const elements = async (name: string): Promise<number[]> => [...(await floatsOf(vit, name))];
    const stored: z.infer<typeof storedSchema> = {
      weight: await elements('head.weight'),
      bias: await elements('head.bias'),
      fittedHead: { images, holdout, lambda, holdoutAccuracy },
    };
    await writeFile(join(folder, HEAD_FILE), JSON.stringify(stored));
  });
  const stored = storedSchema.parse(JSON.parse(await readFile(join(entry.files, HEAD_FILE), 'utf8')));
  const classifier = { weight: Float64Array.from(stored.weight), bias: Float64Array.from(stored.bias) };
  return {
    ...model,
    identity: key.digest,
    vit: withHead(model.vit, train.labels, classifier),
    record: { ...model.record, fittedHead: stored.fittedHead },
  };
}
