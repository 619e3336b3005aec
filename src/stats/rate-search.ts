import type { LoadOutcome } from './load.js';

/** Two rates closer than this, as a share, are the same: the highest that holds is known to so much. */
export const RATE_RESOLUTION = 0.02;

/** More rates than any search takes that ends at all: from a thousandth of the right rate it takes 16. */
const MOST_TRIALS = 24;

/** A rate that was tried, and what became of it. */
export interface TriedRate {
  /** Queries a second. */
  readonly rate: number;
  readonly outcome: LoadOutcome;
}

/** Between which rates the highest one lies that holds. */
export interface RateBracket {
  /** The highest rate that held, with none below it that did not; undefined where none did. */
  readonly held: number | undefined;
  /** The lowest rate that did not hold; undefined where all did. */
  readonly failed: number | undefined;
  /** Whether the two are so close that the highest rate is known. */
  readonly narrowed: boolean;
  /** Whether no rate can hold, because the model alone takes longer than the bound. */
  readonly hopeless: boolean;
}

/**
 * What tried rates say of the highest one that holds.
 *
 * @param tried - in any order; those that were not finished say nothing
 */
export function rateBracket(tried: readonly TriedRate[]): RateBracket {
  const told = tried.filter(({ outcome }) => outcome !== 'unfinished');
  const lost = told.filter(({ outcome }) => outcome !== 'held').map(({ rate }) => rate);
  const failed = lost.length > 0 ? Math.min(...lost) : undefined;
  const below = told.filter(({ rate, outcome }) => outcome === 'held' && rate < (failed ?? Infinity));
  const held = below.length > 0 ? Math.max(...below.map(({ rate }) => rate)) : undefined;
  return {
    ...{ held, failed },
    narrowed: held !== undefined && failed !== undefined && failed / held <= 1 + RATE_RESOLUTION,
    hopeless: held === undefined && told.some(({ outcome }) => outcome === 'too-slow'),
  };
}

/**
 * The rate to try next: twice the highest that held until one does not, half of the lowest that did not until one holds, and then the
 * geometric middle of the two, as LoadGen's search for its peak does with steps of its own.
 *
 * @param tried - so far
 * @param first - the rate to begin with
 * @returns undefined where the search is over: the highest rate is known, or none can hold, or the last try was not finished
 */
export function nextRate(tried: readonly TriedRate[], first: number): number | undefined {
  if (tried.length === 0) return first;
  const { held, failed, narrowed, hopeless } = rateBracket(tried);
  const over = narrowed || hopeless || tried.length >= MOST_TRIALS || tried.at(-1)?.outcome === 'unfinished';
  if (over) return undefined;
  if (held === undefined) return failed === undefined ? undefined : failed / 2;
  return failed === undefined ? held * 2 : Math.sqrt(held * failed);
}
