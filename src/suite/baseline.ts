import { fp32 } from '../compress/recipe.js';

/** The recipe of the baseline: the model as it was trained. Every suite has it, first, and no other recipe may have its name. */
export const BASELINE = fp32.name;

/**
 * Whether a variant is the baseline: what the others of its model on the same device, in the same scenario, are divided by.
 *
 * @param recipe - the name of the variant's recipe, as a suite and a stored run have it
 */
export function isBaseline(recipe: string): boolean {
  return recipe === BASELINE;
}
