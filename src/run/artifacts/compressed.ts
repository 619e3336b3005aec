import { calibrationSource } from '../../compress/calibration.js';
import { compress, type Compressed } from '../../compress/pipeline.js';
import { readOnce } from '../../compress/read-once.js';
import type { Recipe } from '../../compress/recipe.js';
import type { LoadedModel } from '../../model/load.js';
import { tokenCount } from '../../vit/config.js';
import type { BuildContext } from './build-context.js';
import { observationKey, stageKeys } from './keys.js';
import { peakProbe } from './peak-probe.js';
import { openCheckpoints } from './stage-checkpoints.js';

/**
 * What a recipe makes of a model, before it is written for any target. What its stages have made so far stays in the cache, so that
 * interrupted work goes on.
 *
 * @param model - the model
 * @param recipe - the recipe
 * @param context - runtime, calibration images and progress
 * @throws InputError when the recipe cannot be applied to the model; the signal's reason when it fires
 */
export async function compressed(
  model: LoadedModel,
  recipe: Recipe,
  context: BuildContext,
): Promise<Compressed> {
  const { engine, threads, train, seed, device, signal, onProgress } = context;
  const tokens = tokenCount(model.vit.config);
  const calibration = calibrationSource(engine, threads, train, model.preprocessing, tokens, seed, {
    signal,
  });
  const checkpoints = openCheckpoints(
    stageKeys(model, recipe, context).map((key, index) => ({
      key,
      title: `${recipe.steps[index]?.stage ?? 'stage'} of ${model.name} / ${recipe.name}`,
    })),
  );
  try {
    return await compress(readOnce(model.vit), recipe, {
      ...{ engine, calibration, threads, seed, onProgress },
      probed: model.scoredBy !== undefined,
      judgedBy: model.synthetic ? 'agreement' : 'accuracy',
      measurePeak: device && peakProbe(device, recipe.microBatch, signal),
      checkpointsOf: (index) => checkpoints.ofStage(index),
      observationsOf: (index, about) =>
        checkpoints.of(observationKey(model, recipe, index, about, context), `observations of ${model.name}`),
      throwIfStopped: () => {
        signal.throwIfAborted();
      },
    });
  } finally {
    checkpoints.release();
  }
}
