import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { recipeOf, untouched, type Settings } from '../../src/search/settings.js';
import { readRecipe } from '../../src/suite/read.js';
import { recipeText } from '../../src/suite/recipe-text.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

const settings: readonly Partial<Settings>[] = [
  {},
  { microBatch: 4 },
  { keep: [] },
  { prune: { ratio: 0.33, widths: [] }, keep: ['layers.0.fc2', 'layers.*.o'] },
  { merges: [0, 1, 2, 3], prune: { ratio: 0.5, widths: [] }, keep: [], microBatch: 1 },
];

describe('a recipe that is written down', () => {
  it.each(settings)('is read again as it was: %j', async (each) => {
    const recipe = recipeOf('mine', 'So: it "works" # well.', { ...untouched, ...each });
    await writeFile(folder('recipe.yaml'), recipeText(recipe, ['found', 'somewhere']));
    expect(await readRecipe(folder('recipe.yaml'))).toEqual(recipe);
  });
});
