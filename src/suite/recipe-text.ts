import { Document, isMap, visit } from 'yaml';
import type { Recipe } from '../compress/recipe.js';

/** Columns of a line, about. */
const WIDTH = 120;

/**
 * A recipe as a YAML file that `readRecipe` reads again, every option written out: what it does then depends on no default.
 *
 * @param recipe - the recipe
 * @param comments - lines above it
 */
export function recipeText(recipe: Recipe, comments: readonly string[] = []): string {
  const { name, description, steps, microBatch } = recipe;
  const stages = steps.map(({ stage, options }) => ({ [stage]: options }));
  const document = new Document({
    ...{ name, description, stages },
    ...(microBatch !== undefined && { microBatch }),
  });
  // A stage on a line, as people write it.
  visit(document, {
    Pair: (_, { value }) => {
      if (isMap(value)) value.flow = true;
    },
  });
  const text = document.toString({ lineWidth: WIDTH });
  return `${comments.map((line) => `# ${line}\n`).join('')}${text}`;
}
