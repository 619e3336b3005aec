import type { Design, DesignPoint } from '../../base/design.js';
import { hashJson } from '../../base/hash.js';
import { faultAt, show, type YamlFile } from '../../base/schema.js';
import { parseStep, refuseOrder, type Recipe } from '../../compress/recipe.js';
import { BASELINE } from '../baseline.js';
import type { SuiteRecipe } from '../read.js';
import { chosenCombinations } from './choose.js';
import { matrixFactors, matrixStages, type Change, type MatrixStage } from './factors.js';
import { nameOf, namingOf } from './names.js';
import type { MatrixFile } from './schema.js';

/** What a matrix stands for. */
export interface Expanded {
  /** Without the baseline, which every suite has. */
  readonly recipes: readonly SuiteRecipe[];
  readonly design: Design;
}

/**
 * Expands a matrix into ordinary recipes.
 *
 * @param file - the suite
 * @param matrix - its matrix
 * @throws InputError when a part of it is not understood, a variant cannot be, two have the same name, or there are too many
 */
export function expandMatrix(file: YamlFile, matrix: MatrixFile): Expanded {
  const stages = matrixStages(file, matrix);
  const factors = matrixFactors(file, matrix, stages);
  const naming = namingOf(file, matrix.name, stages, factors);
  const { combinations, fraction } = chosenCombinations(file, matrix, factors);
  const recipes = new Map<string, SuiteRecipe>();
  const made = new Map<string, string>();
  const points = combinations.map((levels): DesignPoint => {
    const changes = levels.flatMap((level, factor) => factors[factor]?.changes[level] ?? []);
    const steps = stepsOf(file, stages, changes);
    if (steps.length === 0) return { recipe: BASELINE, levels };
    const seed = changes.flatMap((change) => (change.kind === 'seed' ? [change.seed] : []))[0];
    const key = hashJson({ steps, seed: seed ?? null });
    const known = made.get(key);
    if (known !== undefined) return { recipe: known, levels };
    const name = nameOf(naming, levels);
    checkVariant(file, name, steps, recipes);
    made.set(key, name);
    recipes.set(name, {
      recipe: { name, description: descriptionOf(stages, changes, seed), steps, microBatch: undefined },
      published: undefined,
      ...(seed !== undefined && { seed }),
    });
    return { recipe: name, levels };
  });
  const design = {
    ...{ kind: matrix.design, points },
    factors: factors.map(({ name, kind, levels }) => ({ name, kind, levels })),
    ...(fraction && { fraction }),
  };
  return { recipes: [...recipes.values()], design };
}

/** @throws InputError for a name that no recipe could have or another variant has, or stages that cannot follow each other */
function checkVariant(
  file: YamlFile,
  name: string,
  steps: Recipe['steps'],
  others: ReadonlyMap<string, SuiteRecipe>,
): void {
  const place = ['matrix', 'name'];
  if (name === BASELINE || name.length > 100 || !/^[a-z0-9][a-z0-9.+-]*$/i.test(name))
    throw faultAt(
      file,
      place,
      `a variant called ${show(name)}`,
      `a pattern whose names have letters, digits, ".", "+" and "-", at most 100, and are not ${BASELINE}`,
    );
  if (others.has(name))
    throw faultAt(
      file,
      place,
      `two variants called ${name}`,
      'a pattern with {factor} for each factor that varies',
    );
  refuseOrder(file, () => ['matrix', 'stages'], steps, ` in the variant ${name}`);
}

function stepsOf(
  file: YamlFile,
  stages: readonly MatrixStage[],
  changes: readonly Change[],
): Recipe['steps'] {
  return optionsBy(stages, changes).map(({ stage: { label, stage }, options }) =>
    parseStep(file, ['matrix', 'stages', label], { [stage]: options }),
  );
}

/** The stages that are on, and their options as they are written. */
function optionsBy(
  stages: readonly MatrixStage[],
  changes: readonly Change[],
): { readonly stage: MatrixStage; readonly options: Readonly<Record<string, unknown>> }[] {
  return stages.flatMap((stage) => {
    const own = changes.filter((change) => 'label' in change && change.label === stage.label);
    if (own.some(({ kind }) => kind === 'off')) return [];
    const images = changes.find((change) => change.kind === 'images');
    const options = {
      ...stage.options,
      ...(stage.observes && images && { images: images.images }),
      ...Object.fromEntries(
        own.flatMap((change) => (change.kind === 'options' ? Object.entries(change.options) : [])),
      ),
    };
    return [{ stage, options }];
  });
}

function descriptionOf(
  stages: readonly MatrixStage[],
  changes: readonly Change[],
  seed: number | undefined,
): string {
  const parts = optionsBy(stages, changes).map(({ stage: { stage }, options }) =>
    [
      stage,
      ...Object.entries(options).map(([name, value]) => `${name} ${show(value).replaceAll('"', '')}`),
    ].join(' '),
  );
  return `${[...parts, ...(seed === undefined ? [] : [`seed ${seed}`])].join(', ')}.`;
}
