import { square } from '../base/size.js';
import { resolve } from 'node:path';
import { fp32, type Recipe } from '../compress/recipe.js';
import { readDeviceProfile } from '../device/profile.js';
import type { Suite } from '../suite/read.js';
import type { Tier } from '../suite/schema.js';
import { namedModel, type ModelSource } from '../model/source.js';

/** What a user may want otherwise of a calibration. */
export interface CalibrationWishes {
  /** A model's directory, or the name of a synthetic architecture; undefined is a ViT-Tiny at 64 pixels with weights from a seed. */
  readonly model: string | undefined;
  readonly data: string;
  readonly batches: readonly number[];
  readonly tier: Tier;
  readonly rounds: number;
}

/** A calibration's images only feed the model: a few for the pass over test images that every run begins with. */
const IMAGES = 32;

/** What is measured where nobody names a model: queries of some milliseconds, of any images, whatever their classes. */
const USUAL_MODEL: ModelSource = {
  ...{ kind: 'synthetic', name: 'vit-tiny-64', architecture: 'vit-tiny', imageSize: square(64), seed: 1 },
};

/**
 * The suite that measures a device's noise: one model twice, in fresh processes, in turn.
 *
 * @param profile - path of the device's profile
 * @param wishes - what to measure with
 * @throws InputError when the profile or the model is unusable
 */
export async function calibrationSuite(profile: string, wishes: CalibrationWishes): Promise<Suite> {
  const { name } = await readDeviceProfile(profile);
  const again: Recipe = { ...fp32, name: 'fp32-again', description: 'The same once more.' };
  return {
    name: `calibrate-${name}`,
    description: `The minimum detectable effect of ${name}: a model against itself.`,
    path: resolve(profile),
    seed: 1,
    data: { name: wishes.data, path: undefined },
    models: [wishes.model === undefined ? USUAL_MODEL : namedModel(wishes.model)],
    recipes: [fp32, again].map((recipe) => ({ recipe, published: undefined })),
    devices: [resolve(profile)],
    accuracy: { batch: IMAGES, images: IMAGES },
    gates: [],
    performance: { batches: [...wishes.batches], tier: wishes.tier, rounds: wishes.rounds },
  };
}
