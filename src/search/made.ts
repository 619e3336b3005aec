import type { Recipe } from '../compress/recipe.js';
import type { LoadedModel } from '../model/load.js';
import type { RootFailure } from '../protocol/failure.js';
import { artifactOf, type Artifact } from '../run/artifacts/artifact.js';
import { kernelFailure } from '../run/checks.js';
import { probe, type Probed } from '../run/probe.js';
import type { SearchContext } from './effort.js';

/**
 * Makes the artifact of a recipe; its progress is a part of the search's.
 *
 * @param model - the model as it was trained
 * @param context - runtime and training images
 * @param recipe - the recipe
 * @param from - where in the search's progress it begins
 * @param share - how much of that it is
 */
export function makeArtifact(
  model: LoadedModel,
  context: SearchContext,
  recipe: Recipe,
  from: number,
  share: number,
): Promise<Artifact> {
  return artifactOf(model, recipe, {
    ...context,
    onProgress: (done, what) => {
      const words = recipe.description === '' ? what : `${recipe.description}: ${what}`;
      context.onProgress(from + share * done, words);
    },
  });
}

/**
 * Looks whether an artifact runs in the kernels that it stands for: otherwise it would be measured for what it is not.
 *
 * @param context - the device
 * @param artifact - that was made
 * @param probed - how it runs
 * @returns undefined where it does
 */
export async function kernelFaultOf(
  { device, signal }: SearchContext,
  artifact: Artifact,
  probed: Probed,
): Promise<RootFailure | undefined> {
  const { kernels, started } = await probe(device, probed, { kind: 'kernels', runs: 1 }, signal);
  const parts = Math.ceil(probed.batch / (probed.microBatch ?? probed.batch));
  return started && kernelFailure(artifact, kernels, parts, started.runtime.provider);
}
