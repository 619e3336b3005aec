import { join } from 'node:path';
import { findingWords } from '../search/findings.js';
import { recipeText } from '../suite/recipe-text.js';
import type { Recipe } from '../compress/recipe.js';
import type { Device } from '../device/device.js';
import { deviceName } from '../device/profile.js';
import { terminalTable } from '../text/terminal.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import type { BuildContext } from '../run/artifacts/build-context.js';
import type { LoadedModel } from '../model/load.js';
import { searchDocument } from '../search/document.js';
import { search, usualEffort } from '../search/search.js';
import { settingsWords } from '../search/settings.js';
import { searchTable, verdictWords } from '../search/table.js';
import { targetWords, type Target } from '../search/target.js';
import type { Bar } from './bar.js';

/** What a search is asked for on the command line. */
interface Asked {
  readonly target: Target;
  readonly batch: number;
  readonly rounds: number;
  /** The model, as the user named it. */
  readonly reference: string;
  readonly output: string;
  readonly bar: Bar;
}

/** What a search gave, ready to be written and shown. */
interface Found {
  readonly recipe: Recipe;
  readonly artifact: Artifact;
  readonly met: boolean;
  /** Contents of `search.json`. */
  readonly document: object;
  /** Files for the output directory: name and text. */
  readonly files: readonly (readonly [string, string])[];
  /** For the terminal. */
  readonly words: string;
}

/**
 * Searches the recipe that meets a target.
 *
 * @param model - the model
 * @param context - runtime, training images, device, progress
 * @param asked - the target and where to show what is found
 */
export async function searched(
  model: LoadedModel,
  context: BuildContext & { readonly device: Device },
  { target, batch, rounds, reference, output, bar }: Asked,
): Promise<Found> {
  const outcome = await search(model, context, {
    ...{ target, batch, effort: { ...usualEffort, rounds } },
    onFinding: (finding) => {
      bar.line(`  ${findingWords(finding)}`);
    },
  });
  const [best] = outcome.tried;
  const device = deviceName(context.device.profile);
  const asked = {
    ...{ model: reference, target, device, batch, rounds, seed: context.seed },
    session: context.device.session,
  };
  const document = searchDocument(outcome, asked);
  const verdict = verdictWords(outcome);
  const recipe: Recipe = {
    ...best.recipe,
    name: 'searched',
    description: `${settingsWords(best.settings)}: searched for ${targetWords(target).join(', ')}, at batch ${batch}.`,
  };
  const comments = [`What "edgeflex compress ${reference}" found on ${device}.`, ...verdict];
  const table = searchTable(outcome);
  return {
    ...{ recipe, document, met: outcome.met, artifact: best.artifact },
    files: [
      ['recipe.yaml', recipeText(recipe, comments)],
      ['search.json', JSON.stringify(document, null, 2)],
    ],
    words: [
      terminalTable(table, process.stdout.isTTY, process.stdout.columns),
      '',
      ...verdict,
      `${join(output, 'recipe.yaml')}: the recipe, for --recipe and suites`,
      `${join(output, 'search.json')}: everything that was predicted and measured`,
    ].join('\n'),
  };
}
