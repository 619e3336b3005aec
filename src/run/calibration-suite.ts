import { join, resolve } from 'node:path';
import { packageRoot } from '../base/paths.js';
import { fp32, type Recipe } from '../compress/recipe.js';
import { readDeviceProfile } from '../device/profile.js';
import type { Suite } from '../suite/read.js';
import type { Tier } from '../suite/schema.js';
import { namedModel } from '../model/source.js';

/** What a user may want otherwise of a calibration. */
export interface CalibrationWishes {
  /** A model's directory, or the name of a synthetic architecture; undefined is the built-in ViT. */
  readonly model: string | undefined;
  readonly data: string;
  readonly batches: readonly number[];
  readonly tier: Tier;
  readonly rounds: number;
}

/** A calibration's images only feed the model: a few for the pass over test images that every run begins with. */
const IMAGES = 32;

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
  const builtIn = join(packageRoot(), 'suites', 'models', 'vit-tiny-cifar10');
  return {
    name: `calibrate-${name}`,
    description: `What differences ${name} can tell: a model against itself.`,
    path: resolve(profile),
    seed: 1,
    data: { name: wishes.data, path: undefined },
    models: [namedModel(wishes.model ?? builtIn)],
    recipes: [fp32, again].map((recipe) => ({ recipe, published: undefined })),
    devices: [resolve(profile)],
    accuracy: { batch: IMAGES, images: IMAGES },
    gates: [],
    performance: { batches: [...wishes.batches], tier: wishes.tier, rounds: wishes.rounds },
  };
}
