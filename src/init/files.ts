import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InputError } from '../base/errors.js';
import { listNamed } from '../base/named.js';
import { writeOutputs } from '../base/output.js';
import type { StarterChoices } from './choices.js';
import { deviceFile } from './device.js';
import { recipeFile } from './recipe.js';
import { suiteFile } from './suite.js';

/** The files that `writeStarter` writes, relative to the folder. */
export interface StarterFiles {
  readonly suite: string;
  readonly recipe: string;
  readonly device: string;
}

/**
 * Refuses a name that no suite can have, or that one has which comes with EdgeFlex: the new one would hide it.
 *
 * @param name - of the new suite
 * @throws InputError
 */
export function refuseName(name: string): void {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(name))
    throw new InputError({
      source: 'the name of the suite',
      found: `"${name}"`,
      expected: 'up to 40 lower-case letters, digits and hyphens',
    });
  if (listNamed('suite').some((suite) => suite.builtIn && suite.name === name))
    throw new InputError({
      source: 'the name of the suite',
      found: `"${name}", which is the name of a suite that comes with EdgeFlex`,
      expected: 'another name',
    });
}

/**
 * Where the files of a new suite go: each is found by its name from the folder.
 *
 * @param choices - what the user chose
 */
function starterFiles({ name, recipe, device }: StarterChoices): StarterFiles {
  return {
    suite: `suites/${name}.yaml`,
    recipe: `recipes/${name}-${basename(recipe).replace(/\.ya?ml$/, '')}.yaml`,
    device: `devices/${name}-${device.name}.yaml`,
  };
}

/**
 * Writes a suite, a recipe and a device profile to begin with: all of them or none.
 *
 * @param folder - suites, recipes and devices are folders in it
 * @param choices - what the user chose
 * @param force - whether files that are there are replaced
 * @returns the files
 * @throws InputError when one is there and is not to be replaced, or cannot be written
 */
export async function writeStarter(
  folder: string,
  choices: StarterChoices,
  force: boolean,
): Promise<StarterFiles> {
  refuseName(choices.name);
  const files = starterFiles(choices);
  const { suite, recipe, device } = files;
  const there = [suite, recipe, device].find((file) => existsSync(join(folder, file)));
  if (there !== undefined && !force)
    throw new InputError({
      source: there,
      found: 'a file',
      expected: 'none',
      hint: 'Choose another name, or replace it with --force.',
    });
  const named = (file: string): string => basename(file, '.yaml');
  const contents = new Map<string, string>([
    [
      files.suite,
      suiteFile(choices, {
        folder: join(folder, 'suites'),
        recipe: `../${files.recipe}`,
        device: `../${files.device}`,
      }),
    ],
    [files.recipe, await recipeFile(named(files.recipe), choices.recipe)],
    [files.device, deviceFile(named(files.device), choices.device)],
  ]);
  const { model, images } = choices;
  const inputs = [
    ...(model.kind === 'path' ? [model.path] : []),
    ...(images.kind === 'own' ? [images.path] : []),
  ];
  await writeOutputs(folder, contents, { force, inputs, adds: true });
  return files;
}
