import type { Recipe } from '../compress/recipe.js';
import { deviceName } from '../device/profile.js';
import type { LoadedModel } from '../model/load.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import { recipeText } from '../suite/recipe-text.js';
import { searchDocument } from './document.js';
import type { Finding, SearchOutcome } from './outcome.js';
import { usualEffort, type SearchContext } from './effort.js';
import { frontFile, frontOf } from './pareto-front.js';
import { search } from './search.js';
import { settingsWords } from './settings.js';
import { figuresWords, verdictWords } from './table.js';
import { targetWords, type Target } from './target.js';

/** What a search is asked for. */
export interface Asked {
  /** What is to be reached; undefined looks for the whole Pareto front. */
  readonly target: Target | undefined;
  /** Seconds that the search may take. */
  readonly budget: number | undefined;
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
  /** Whether recipes of a Pareto front are among the files. */
  readonly hasFront: boolean;
  /** Contents of `search.json`. */
  readonly document: object;
  /** Files for the output directory: name and text. */
  readonly files: readonly (readonly [string, string])[];
}

/**
 * Searches the recipe that meets a target, or those that no other beats.
 *
 * @param model - the model
 * @param context - runtime, training images, device, progress
 * @param asked - the target, or the time
 * @throws what `search` throws
 */
export async function searched(
  model: LoadedModel,
  context: SearchContext,
  { target, budget, batch, rounds, reference, onFinding }: Asked,
): Promise<Searched> {
  const effort = { ...usualEffort, rounds };
  const outcome = await search(model, context, { target, budget, batch, effort, onFinding });
  const [best] = outcome.tried;
  const device = deviceName(context.device.profile);
  const document = searchDocument(outcome, {
    ...{ model: reference, target, budget, device, batch, rounds, seed: context.seed },
    session: context.device.session,
  });
  const where = `at batch ${batch}`;
  const recipe: Recipe = {
    ...best.recipe,
    name: 'searched',
    description: `${settingsWords(best.settings)}: ${outcome.explored ? figuresWords(best) : `searched for ${targetWords(outcome.target).join(', ')}`}, ${where}.`,
  };
  const origin = `What "edgeflex compress ${reference}" found on ${device}.`;
  const front = outcome.explored ? frontOf(outcome) : [];
  return {
    ...{ recipe, document, outcome, artifact: best.artifact, hasFront: front.length > 0 },
    files: [
      ['recipe.yaml', recipeText(recipe, [origin, ...verdictWords(outcome)])],
      ['search.json', JSON.stringify(document, null, 2)],
      ...front.map((each, index): [string, string] => {
        const words = figuresWords(each);
        const description = `${settingsWords(each.settings)}: ${words}, ${where}.`;
        return [
          frontFile(index),
          recipeText({ ...each.recipe, name: `front-${index + 1}`, description }, [origin]),
        ];
      }),
    ],
  };
}
