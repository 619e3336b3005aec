import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Design } from '../base/design.js';
import { guardSame, type Gate } from '../base/gate.js';
import { sizeOf } from '../base/size.js';
import { InputError } from '../base/errors.js';
import { isName, pathOf, type NamedKind } from '../base/named.js';
import { checked, faultAt, readYaml, type YamlFile } from '../base/schema.js';
import { didYouMean } from '../base/similar.js';
import { fp32, parseRecipe, type Recipe } from '../compress/recipe.js';
import { rawName } from '../model/raw.js';
import type { ModelSource, RawSettings } from '../model/source.js';
import { suiteData, type SuiteData } from './data.js';
import { headWith, withRefits, type HeadOverrides, type SuiteHead } from './head.js';
import { expandMatrix } from './matrix/expand.js';
import { suiteSchema, type Published, type SuiteFile, type Tier } from './schema.js';

/** A recipe of a suite. */
export interface SuiteRecipe {
  /** Without stages for a file that is run as it is. */
  readonly recipe: Recipe;
  readonly published: Published | undefined;
  /** The ONNX file that is run as it is instead of what the recipe would make of a model. */
  readonly raw?: RawFile;
  /** The recipe behind which this one fits the head anew; undefined for all that the suite names itself. */
  readonly refits?: string;
  /** Determines what is drawn while it is applied, in place of the suite's seed: a replicate of a matrix. */
  readonly seed?: number;
}

/** An ONNX file that stands beside the variants of a model. */
export interface RawFile extends RawSettings {
  readonly path: string;
  /** Name of the model; undefined for the only one. */
  readonly model: string | undefined;
}

/** A suite: models × recipes × devices × scenarios. */
export interface Suite {
  readonly name: string;
  readonly description: string;
  readonly path: string;
  readonly seed: number;
  readonly data: SuiteData;
  readonly models: readonly ModelSource[];
  /** The first is `fp32`. */
  readonly recipes: readonly SuiteRecipe[];
  /** Which of them stand for which levels of the factors of the suite's matrix; undefined where it has none. */
  readonly design?: Design | undefined;
  /** Paths of device profiles. */
  readonly devices: readonly string[];
  /** Which head a model gets that brings none for the classes of the images; undefined: the usual one. */
  readonly head?: SuiteHead | undefined;
  readonly accuracy: SuiteFile['accuracy'];
  readonly performance: SuiteFile['performance'];
  /** Load other than one query after the other; undefined where there is none. */
  readonly load?: SuiteFile['load'];
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
  const named = (kind: NamedKind, reference: string): string =>
    isName(reference) && !existsSync(beside(reference))
      ? resolve(pathOf(kind, reference))
      : beside(reference);

  const own: SuiteRecipe[] = [{ recipe: fp32, published: undefined }];
  for (const [index, entry] of suite.recipes.entries()) {
    const read = await recipeOf(file, index, entry, beside, named);
    const { name } = read.recipe;
    if (own.some((known) => known.recipe.name === name))
      throw faultAt(file, ['recipes', index], `a second recipe called ${name}`, 'different names');
    own.push(read);
  }
  const expanded = suite.matrix && expandMatrix(file, suite.matrix);
  for (const each of expanded?.recipes ?? []) {
    const { name } = each.recipe;
    if (own.some((known) => known.recipe.name === name))
      throw faultAt(
        file,
        ['matrix', 'name'],
        `a second recipe called ${name}`,
        'other names than those of recipes',
      );
    own.push(each);
  }
  const recipes = withRefits(own, suite.head);
  for (const { recipe, refits } of recipes)
    if (refits !== undefined && own.some((each) => each.recipe.name === recipe.name))
      throw faultAt(
        file,
        ['head', 'refit'],
        `a second recipe called ${recipe.name}: ${refits} with its head refitted`,
        'different names',
      );

  const models = suite.models.map((model): ModelSource => {
    if ('path' in model) {
      const directory = named('model', model.path);
      return {
        kind: 'path',
        name: model.name ?? directory.split(/[\\/]/).pop() ?? directory,
        path: directory,
      };
    }
    if ('raw' in model) {
      const { name = rawName(model.raw), output, preprocessor } = model;
      return {
        ...{ kind: 'path', name, path: beside(model.raw) },
        raw: { output, preprocessor: preprocessor && beside(preprocessor) },
      };
    }
    if ('hub' in model) {
      const { hub: repository, revision } = model;
      return { kind: 'hub', name: model.name ?? basename(repository), repository, revision };
    }
    const { synthetic, imageSize, seed } = model;
    return {
      ...{ kind: 'synthetic', name: model.name ?? synthetic, architecture: synthetic, seed },
      imageSize: sizeOf(imageSize),
    };
  });
  for (const [index, model] of models.entries())
    if (models.findIndex(({ name }) => name === model.name) < index)
      throw faultAt(file, ['models', index], `a second model called ${model.name}`, 'different names');

  for (const [index, entry] of suite.recipes.entries()) {
    if (typeof entry === 'string' || !('raw' in entry)) continue;
    const names = models.map(({ name }) => name);
    if (entry.model === undefined ? names.length > 1 : !names.includes(entry.model))
      throw faultAt(
        file,
        ['recipes', index, 'model'],
        entry.model === undefined
          ? `no model for ${entry.raw}, and ${names.length} models`
          : `the unknown model "${entry.model}"${didYouMean(entry.model, names)}`,
        names.join(', '),
      );
  }

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

  const { name, description, seed, head, accuracy, performance, load, gates } = suite;
  return {
    ...{ name, description, path: resolve(path), seed, models, recipes },
    ...{ head, accuracy, performance, load, gates },
    design: expanded?.design,
    data: suiteData(file, suite.data),
    devices: suite.devices.map((reference) => named('device', reference)),
  };
}

async function recipeOf(
  file: YamlFile,
  index: number,
  entry: SuiteFile['recipes'][number],
  beside: (relative: string) => string,
  named: (kind: NamedKind, reference: string) => string,
): Promise<SuiteRecipe> {
  const ofFile = async (reference: string, place: readonly PropertyKey[]): Promise<Recipe> => {
    const path = named('recipe', reference);
    if (!existsSync(path)) throw faultAt(file, place, `${reference}, but no file ${path}`, 'a recipe');
    return readRecipe(path);
  };
  const place = ['recipes', index];
  if (typeof entry === 'string') return { recipe: await ofFile(entry, place), published: undefined };
  const { published } = entry;
  if ('recipe' in entry) return { recipe: await ofFile(entry.recipe, [...place, 'recipe']), published };
  if ('raw' in entry) {
    const { name = rawName(entry.raw), description, output, preprocessor, model } = entry;
    const raw = {
      path: beside(entry.raw),
      model,
      output,
      preprocessor: preprocessor && beside(preprocessor),
    };
    return { recipe: { name, description, steps: [], microBatch: undefined }, published, raw };
  }
  return { recipe: parseRecipe(file, place, withoutPublished(entry)), published };
}

/** What a user may change of a suite without editing it. */
export interface SuiteOverrides {
  /** The only model; undefined leaves the suite's. */
  readonly model?: ModelSource | undefined;
  /** ONNX files that stand beside the variants of the only model, as they are. */
  readonly raws?: readonly string[] | undefined;
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
  /** What is said of heads in place of what the suite says. */
  readonly head?: HeadOverrides | undefined;
}

/**
 * A suite with what the user asked for in place of what it says.
 *
 * @throws InputError when a raw file has no single model to stand beside, or the name of a recipe
 */
export function withOverrides(suite: Suite, overrides: SuiteOverrides): Suite {
  const { model, raws = [], devices, images } = overrides;
  const models = model === undefined ? suite.models : [model];
  const head = headWith(suite.head, overrides.head ?? {});
  return {
    ...suite,
    ...{ models, head },
    recipes: withRefits(recipesWith(suite, models, model !== undefined, raws), head),
    devices: devices.length > 0 ? devices.map((path) => resolve(path)) : suite.devices,
    accuracy: images === undefined ? suite.accuracy : { ...suite.accuracy, images },
    performance: performanceWith(suite.performance, overrides),
    load: suite.load && loadWith(suite.load, overrides),
  };
}

function recipesWith(
  { recipes }: Suite,
  models: Suite['models'],
  other: boolean,
  raws: readonly string[],
): readonly SuiteRecipe[] {
  if (raws.length > 0 && models.length > 1)
    throw new InputError({
      source: '--raw',
      found: `${models.length} models in the suite: ${models.map(({ name }) => name).join(', ')}`,
      expected: 'one, which the file is compared with',
      hint: 'The suite can say which: recipes: [{ raw: file.onnx, model: name }].',
    });
  const all: SuiteRecipe[] = recipes.map((each) =>
    // What stood beside a model of the suite stands beside the one that takes its place.
    other && each.raw ? { ...each, raw: { ...each.raw, model: undefined } } : each,
  );
  for (const path of raws) {
    const name = rawName(path);
    if (all.some(({ recipe }) => recipe.name === name))
      throw new InputError({
        source: '--raw',
        found: `${path}, which would have the name ${name} like another variant`,
        expected: 'a file of another name',
        hint: 'The suite can name it: recipes: [{ raw: file.onnx, name: other }].',
      });
    all.push({
      recipe: { name, description: 'An ONNX file, run as it is.', steps: [], microBatch: undefined },
      published: undefined,
      raw: { path: resolve(path), model: undefined },
    });
  }
  return all;
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

function loadWith(
  load: NonNullable<Suite['load']>,
  { tier, rounds }: SuiteOverrides,
): NonNullable<Suite['load']> {
  return { ...load, ...(tier !== undefined && { tier }), ...(rounds !== undefined && { rounds }) };
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
