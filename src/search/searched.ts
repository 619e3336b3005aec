import type { Recipe } from '../compress/recipe.js';
import type { Device } from '../device/device.js';
import { deviceName } from '../device/profile.js';
import type { LoadedModel } from '../model/load.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import type { BuildContext } from '../run/artifacts/build-context.js';
import { recipeText } from '../suite/recipe-text.js';
import { searchDocument } from './document.js';
import type { Finding, SearchOutcome } from './outcome.js';
import { search, usualEffort } from './search.js';
import { settingsWords } from './settings.js';
import { verdictWords } from './table.js';
import { targetWords, type Target } from './target.js';

/** What a search is asked for. */
export interface Asked {
  readonly target: Target;
  /** Images in a batch. */
  readonly batch: number;
  /** Fresh processes in which candidates are measured. */
  readonly rounds: number;
  /** The model, as the user named it. */
  readonly reference: string;
  /** Told what was found, as soon as it was. */
  readonly onFinding: (finding: Finding) => void;
}

/** What a search gave, ready to be written. */
export interface Searched {
  /** The best that was tried, under the name `searched`. */
  readonly recipe: Recipe;
  readonly artifact: Artifact;
  readonly outcome: SearchOutcome;
  /** Contents of `search.json`. */
  readonly document: object;
  /** Files for the output directory: name and text. */
  readonly files: readonly (readonly [string, string])[];
}

/**
 * Searches the recipe that meets a target.
 *
 * @param model - the model
 * @param context - runtime, training images, device, progress
 * @param asked - the target
 * @throws what `search` throws
 */
export async function searched(
  model: LoadedModel,
  context: BuildContext & { readonly device: Device },
  { target, batch, rounds, reference, onFinding }: Asked,
): Promise<Searched> {
  const effort = { ...usualEffort, rounds };
  const outcome = await search(model, context, { target, batch, effort, onFinding });
  const [best] = outcome.tried;
  const device = deviceName(context.device.profile);
  const document = searchDocument(outcome, {
    ...{ model: reference, target, device, batch, rounds, seed: context.seed },
    session: context.device.session,
  });
  const recipe: Recipe = {
    ...best.recipe,
    name: 'searched',
    description: `${settingsWords(best.settings)}: searched for ${targetWords(target).join(', ')}, at batch ${batch}.`,
  };
  const comments = [`What "edgeflex compress ${reference}" found on ${device}.`, ...verdictWords(outcome)];
  return {
    ...{ recipe, document, outcome, artifact: best.artifact },
    files: [
      ['recipe.yaml', recipeText(recipe, comments)],
      ['search.json', JSON.stringify(document, null, 2)],
    ],
  };
}
