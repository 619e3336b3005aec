import type { SearchOutcome, Tried } from './outcome.js';

/**
 * What no other beats of all that a search measured, the fastest first.
 *
 * @param outcome - of the search
 */
export function frontOf({ tried }: Pick<SearchOutcome, 'tried'>): Tried[] {
  return tried
    .filter(({ onFront }) => onFront)
    .sort((a, b) => a.figures.milliseconds - b.figures.milliseconds);
}

/** Within the output folder, where the recipes of a front go. */
export const FRONT_FOLDER = 'front';

/**
 * Where the recipe of a member of the front goes, within the output folder.
 *
 * @param index - in the front, the fastest first
 */
export function frontFile(index: number): string {
  return `${FRONT_FOLDER}/${index + 1}.yaml`;
}
