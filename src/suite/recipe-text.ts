import { stringify } from 'yaml';
import type { Recipe } from '../compress/recipe.js';

/**
 * A recipe as a YAML file that `parseRecipe` reads again, every option written out: what it does then depends on no default.
 *
 * @param recipe - the recipe
 * @param comments - lines above it
 */
export function recipeText(recipe: Recipe, comments: readonly string[] = []): string {
  const { name, description, steps, microBatch } = recipe;
  const stages = steps.map(({ stage, options }) => ({ [stage]: options }));
  const text = stringify(
    { name, description, stages, ...(microBatch !== undefined && { microBatch }) },
    { lineWidth: 120, flowCollectionPadding: true },
  );
  return `${comments.map((line) => `# ${line}\n`).join('')}${text}`;
}
