import { binomialCumulative } from './binomial.js';
import type { Estimate } from './interval.js';
import { normalQuantile } from './normal.js';

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

/**
 * How many percentage points more images the first of two classifiers gets right, with Tango's score interval (Tango, Statistics
 * in Medicine 1998): it ends where the score test of that difference just rejects. It needs the discordant images alone, and is
 * right also for few of them, or none, where the textbook interval is not.
 *
 * @param outcomes - the discordant images
 * @param images - how many both have judged, at least 1
 * @param confidence - 0.95 for a 95 % interval
 * @returns in points, −100 … 100; its p-value is that of `mcnemar`, and where that is close to the level the two may disagree,
 *   as the test is exact and the interval approximate
 */
export function pairedDifference(outcomes: PairedOutcomes, images: number, confidence = 0.95): Estimate {
  const { onlyFirst, onlySecond } = outcomes;
  const value = (onlyFirst - onlySecond) / images;
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const end = (outer: number): number => {
    // The score falls as the assumed difference moves away from the observed one.
    let [inside, outside] = [value, outer];
    for (let i = 0; i < 100; i++) {
      const middle = (inside + outside) / 2;
      if (Math.abs(scoreOf(outcomes, images, middle)) < z) inside = middle;
      else outside = middle;
    }
    return inside;
  };
  return { value: 100 * value, low: 100 * end(-1), high: 100 * end(1) };
}

/** Tango's score statistic of a true difference. */
function scoreOf({ onlyFirst, onlySecond }: PairedOutcomes, images: number, difference: number): number {
  const off = onlyFirst - onlySecond - images * difference;
  if (off === 0) return 0;
  // The probability of `onlySecond` that fits best with that difference: the root of 2n q² + b q + c.
  const b = (2 * images - onlyFirst + onlySecond) * difference - onlyFirst - onlySecond;
  const c = -onlySecond * difference * (1 - difference);
  const q = (Math.sqrt(Math.max(0, b * b - 8 * images * c)) - b) / (4 * images);
  const variance = images * (2 * q + difference * (1 - difference));
  return variance > 0 ? off / Math.sqrt(variance) : Infinity * off;
}
