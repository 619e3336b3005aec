import { binomialCumulative } from './binomial.js';

/** What two classifiers did on the same images. */
export interface PairedOutcomes {
  /** Images that only the first got right. */
  readonly onlyFirst: number;
  /** Images that only the second got right. */
  readonly onlySecond: number;
}

/**
 * Counts on how many images exactly one of two classifiers is right.
 *
 * @param labels - the class of each image
 * @param first - what the first classifier says
 * @param second - what the second says
 * @throws RangeError when they do not speak of the same number of images
 */
export function pairedOutcomes(
  labels: ArrayLike<number>,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
): PairedOutcomes {
  if (first.length !== labels.length || second.length !== labels.length)
    throw new RangeError(`${labels.length} labels, ${first.length} and ${second.length} predictions`);
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let i = 0; i < labels.length; i++) {
    const [a, b] = [first[i] === labels[i], second[i] === labels[i]];
    if (a && !b) onlyFirst += 1;
    if (b && !a) onlySecond += 1;
  }
  return { onlyFirst, onlySecond };
}

/**
 * Exact McNemar test: the two-sided probability of a split of the discordant images at least as uneven, if either
 * classifier were as likely to be the right one (McNemar, Psychometrika 1947; exact binomial form).
 *
 * @param outcomes - the discordant images
 * @returns p, 0 … 1
 */
export function mcnemar({ onlyFirst, onlySecond }: PairedOutcomes): number {
  const discordant = onlyFirst + onlySecond;
  if (discordant === 0) return 1;
  return Math.min(1, 2 * binomialCumulative(discordant, Math.min(onlyFirst, onlySecond), 0.5));
}
