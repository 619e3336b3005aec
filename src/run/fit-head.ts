import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { hashJson } from '../base/hash.js';
import { cacheDirectory } from '../base/paths.js';
import { calibrationSource } from '../compress/calibration.js';
import { headOptionsSchema } from '../compress/head/options.js';
import { head, withHead } from '../compress/head/stage.js';
import { noCheckpoints } from '../compress/checkpoints.js';
import { floatsOf } from '../compress/weights.js';
import { tokenCount } from '../vit/config.js';
import type { BuildContext } from './artifacts/artifact.js';
import { codeVersion } from './code-version.js';
import type { LoadedModel } from '../model/load.js';

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
  const identity = hashJson({
    ...{ weights: model.identity, options, images: train.hash, seed },
    ...{ preprocessing: model.preprocessing, runtime: engine.info, code: await codeVersion() },
  });
  const path = join(cacheDirectory(), 'heads', `${identity.slice(0, 32)}.json`);
  const stored = storedSchema.safeParse(
    await readFile(path, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (stored.success) {
    const { weight, bias, fittedHead } = stored.data;
    const classifier = { weight: Float64Array.from(weight), bias: Float64Array.from(bias) };
    return {
      ...model,
      identity,
      vit: withHead(model.vit, train.labels, classifier),
      record: { ...model.record, fittedHead },
    };
  }
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
  const fittedHead = { images, holdout, lambda, holdoutAccuracy };
  const elements = async (name: string): Promise<number[]> => [...(await floatsOf(vit, name))];
  const text = JSON.stringify({
    weight: await elements('head.weight'),
    bias: await elements('head.bias'),
    fittedHead,
  });
  await mkdir(join(cacheDirectory(), 'heads'), { recursive: true });
  const partial = `${path}.${randomUUID()}.partial`;
  await writeFile(partial, text);
  await rename(partial, path);
  return { ...model, identity, vit, record: { ...model.record, fittedHead } };
}
