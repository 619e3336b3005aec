import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { guardSame, type Gate } from '../base/gate.js';
import { checked, faultAt, readYaml } from '../base/schema.js';
import { didYouMean } from '../base/similar.js';
import { fp32, parseRecipe, type Recipe } from '../compress/recipe.js';
import { datasetNames } from '../data/registry.js';
import type { ModelSource } from '../model/source.js';
import { suiteSchema, type Published, type SuiteFile, type Tier } from './schema.js';

/** A recipe of a suite. */
export interface SuiteRecipe {
  readonly recipe: Recipe;
  readonly published: Published | undefined;
}

/** A suite: models × recipes × devices × scenarios. */
export interface Suite {
  readonly name: string;
  readonly description: string;
  readonly path: string;
  readonly seed: number;
  readonly data: { readonly name: SuiteFile['data']['name']; readonly path: string | undefined };
  readonly models: readonly ModelSource[];
  /** The first is `fp32`. */
  readonly recipes: readonly SuiteRecipe[];
  /** Paths of device profiles. */
  readonly devices: readonly string[];
  readonly accuracy: SuiteFile['accuracy'];
  readonly performance: SuiteFile['performance'];
  /** What `compare` fails on where it is not told otherwise. */
  readonly gates: readonly Gate[];
}

/** What must be known of a suite before its recipes can be read. */
const namedPluginsSchema = z.object({ plugins: z.array(z.string().min(1)).default([]) });

/**
 * The plug-ins that a suite names, before anything else of it is read: its recipes may have stages that they bring.
 *
 * @param path - of the suite
 * @throws InputError when it is not YAML, or its `plugins` is no list of names
 */
export async function pluginsOf(path: string): Promise<readonly string[]> {
  const file = await readYaml(path, 'a suite');
  return checked(file, [], file.value, namedPluginsSchema).plugins;
}

/**
 * Reads a suite and the recipes it names. The plug-ins that it names must be loaded.

 *
 * @param path - a YAML file, such as `suites/quickstart.yaml`
 * @throws InputError when the suite or a recipe is malformed, or two recipes or models have the same name
 */
export async function readSuite(path: string): Promise<Suite> {
  const file = await readYaml(path, 'a suite');
  const suite = checked(file, [], file.value, suiteSchema);
  const beside = (relative: string): string => resolve(dirname(path), relative);
  const known = datasetNames();
  if (!known.includes(suite.data.name))
    throw faultAt(
      file,
      ['data', 'name'],
      `the unknown dataset "${suite.data.name}"${didYouMean(suite.data.name, known)}`,
      known.join(', '),
    );

  const recipes: SuiteRecipe[] = [{ recipe: fp32, published: undefined }];
  for (const [index, entry] of suite.recipes.entries()) {
    const reference = typeof entry === 'string' ? entry : 'recipe' in entry ? entry.recipe : undefined;
    const published = typeof entry === 'string' ? undefined : entry.published;
    const recipe =
      reference === undefined
        ? parseRecipe(file, ['recipes', index], withoutPublished(entry as object))
        : await readRecipe(beside(reference));
    if (recipes.some((known) => known.recipe.name === recipe.name))
      throw faultAt(file, ['recipes', index], `a second recipe called ${recipe.name}`, 'different names');
    recipes.push({ recipe, published });
  }

  const models = suite.models.map((model): ModelSource => {
    if ('path' in model) {
      const directory = beside(model.path);
      return {
        kind: 'path',
        name: model.name ?? directory.split(/[\\/]/).pop() ?? directory,
        path: directory,
      };
    }
    if ('hub' in model) {
      const { hub: repository, revision } = model;
      return { kind: 'hub', name: model.name ?? basename(repository), repository, revision };
    }
    const { synthetic, imageSize, seed } = model;
    return { kind: 'synthetic', name: model.name ?? synthetic, architecture: synthetic, imageSize, seed };
  });
  for (const [index, model] of models.entries())
    if (models.findIndex(({ name }) => name === model.name) < index)
      throw faultAt(file, ['models', index], `a second model called ${model.name}`, 'different names');

  for (const [index, gate] of suite.gates.entries()) {
    const { variant } = gate;
    const names = recipes.map(({ recipe }) => recipe.name);
    if (variant !== undefined && !names.includes(variant))
      throw faultAt(
        file,
        ['gates', index],
        `the unknown variant "${variant}"${didYouMean(variant, names)}`,
        names.join(', '),
      );
    if (suite.gates.slice(0, index).some((other) => guardSame(gate, other)))
      throw faultAt(file, ['gates', index], 'a second gate for the same figure', 'one for each');
  }

  const { name, description, seed, data, accuracy, performance, gates } = suite;
  return {
    ...{ name, description, path: resolve(path), seed, models, recipes, accuracy, performance, gates },
    data: { name: data.name, path: data.path && beside(data.path) },
    devices: suite.devices.map(beside),
  };
}

/** What a user may change of a suite without editing it. */
export interface SuiteOverrides {
  /** The only model; undefined leaves the suite's. */
  readonly model?: ModelSource | undefined;
  /** Paths of device profiles; none leaves the suite's. */
  readonly devices: readonly string[];
  /** How many test images are scored; undefined leaves what the suite says. */
  readonly images: number | undefined;
  /** How well speeds are to be known, as a share. */
  readonly precision?: number | undefined;
  /** Batch sizes to time; undefined leaves the suite's, as with the next two. */
  readonly batches?: readonly number[] | undefined;
  readonly tier?: Tier | undefined;
  readonly rounds?: number | undefined;
}

/** A suite with what the user asked for in place of what it says. */
export function withOverrides(suite: Suite, overrides: SuiteOverrides): Suite {
  const { model, devices, images } = overrides;
  return {
    ...suite,
    models: model === undefined ? suite.models : [model],
    devices: devices.length > 0 ? devices.map((path) => resolve(path)) : suite.devices,
    accuracy: images === undefined ? suite.accuracy : { ...suite.accuracy, images },
    performance: performanceWith(suite.performance, overrides),
  };
}

function performanceWith(
  performance: Suite['performance'],
  { precision, batches, tier, rounds }: SuiteOverrides,
): Suite['performance'] {
  const { maxRounds } = performance;
  return {
    ...performance,
    ...(precision !== undefined && { precision }),
    ...(batches !== undefined && { batches: [...batches] }),
    ...(tier !== undefined && { tier }),
    ...(rounds !== undefined && { rounds }),
    ...(rounds !== undefined && maxRounds !== undefined && { maxRounds: Math.max(maxRounds, rounds) }),
  };
}

/**
 * Reads a recipe file.
 *
 * @param path - a YAML file, such as `suites/recipes/edgeflex.yaml`
 * @throws InputError when it is no recipe
 */
export async function readRecipe(path: string): Promise<Recipe> {
  const file = await readYaml(path, 'a recipe');
  return parseRecipe(file, [], file.value);
}

function withoutPublished(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([key]) => key !== 'published'));
}
