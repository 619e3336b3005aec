import { z } from 'zod';
import { readJson } from '../vit/checkpoints/json.js';

const cardSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  images: z.number().int().positive(),
  correct: z.number().int().nonnegative(),
  framework: z.string(),
});

/** A model card's claim of accuracy. */
export type ModelCard = z.infer<typeof cardSchema>;

/**
 * Reads the card of a model.
 *
 * @param path - the file `card.json`; undefined where there is none
 * @returns undefined when there is none, or when it makes no claim of accuracy in EdgeFlex's form
 * @throws InputError when it is no JSON
 */
export async function readCard(path: string | undefined): Promise<ModelCard | undefined> {
  if (path === undefined) return undefined;
  return cardSchema.safeParse(await readJson(path, 'a model card in JSON, or no card.json')).data;
}
