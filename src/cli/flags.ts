import { InvalidArgumentError } from 'commander';
import { MAX_BATCH, MAX_ROUNDS } from '../base/limits.js';

/** A flag that may be given several times: its values in order. */
export function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/**
 * A flag that counts something.
 *
 * @throws InvalidArgumentError when it is no whole number from 1 on
 */
export function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('a whole number from 1 on is expected');
  return Number(value);
}

/**
 * A flag that counts rounds.
 *
 * @param least - fewer say nothing
 * @throws InvalidArgumentError when it is no whole number from there to `MAX_ROUNDS`
 */
export function roundsFrom(least: number): (value: string) => number {
  return (value) => between(value, least, MAX_ROUNDS);
}

/**
 * A flag that is the size of a batch, in images.
 *
 * @throws InvalidArgumentError when it is no whole number from 1 to `MAX_BATCH`
 */
export function batchSize(value: string): number {
  return between(value, 1, MAX_BATCH);
}

function between(value: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (!(number >= least && number <= most))
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is expected`);
  return number;
}

/**
 * A flag that random numbers come from.
 *
 * @throws InvalidArgumentError when it is no whole number from 0 on
 */
export function seedOf(value: string): number {
  if (!/^\d{1,9}$/.test(value))
    throw new InvalidArgumentError('a whole number from 0 to 999999999 is expected');
  return Number(value);
}

/**
 * A flag that lists batch sizes: `1,8`.
 *
 * @throws InvalidArgumentError when they are not different whole numbers from 1 to `MAX_BATCH`
 */
export function batchSizes(text: string): number[] {
  const sizes = text.split(',').map((size) => batchSize(size.trim()));
  if (new Set(sizes).size !== sizes.length)
    throw new InvalidArgumentError('different sizes with commas between them are expected, such as 1,8');
  return sizes;
}

/** A share beyond a hundredfold, or more points than there are, would find nothing. */
const MOST_PERCENT = 10_000;
const MOST_POINTS = 100;

/**
 * A flag that is a share: `2%`.
 *
 * @returns 0.02
 * @throws InvalidArgumentError when it is no percentage from 0 to 10,000
 */
export function shareOf(text: string): number {
  const percent = Number(/^(\d+(?:\.\d+)?) ?%$/.exec(text)?.[1]);
  if (!(percent <= MOST_PERCENT))
    throw new InvalidArgumentError(`expected a share in percent, such as 2%, of at most ${MOST_PERCENT}%`);
  return percent / 100;
}

/**
 * A flag that is a difference of accuracies: `0.3pt`.
 *
 * @returns 0.003
 * @throws InvalidArgumentError when it is no number of points from 0 to 100
 */
export function pointsOf(text: string): number {
  const points = Number(/^(\d+(?:\.\d+)?) ?pt$/.exec(text)?.[1]);
  if (!(points <= MOST_POINTS))
    throw new InvalidArgumentError(`expected points of top-1, such as 0.3pt, of at most ${MOST_POINTS}pt`);
  return points / 100;
}

/**
 * A flag that says how many to keep.
 *
 * @throws InvalidArgumentError when it is no whole number from 0 on
 */
export function countOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 20');
  return Number(text);
}

const HOUR = 3600 * 1000;
const hours = { h: 1, d: 24, w: 7 * 24 } as const;

/**
 * A flag that is an age: `36h`, `90d`, `12w`.
 *
 * @returns milliseconds
 * @throws InvalidArgumentError when it is none, or one that no calendar goes back to
 */
export function ageOf(text: string): number {
  const [, count, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  if (count === undefined)
    throw new InvalidArgumentError('expected hours, days or weeks, such as 36h, 90d or 12w');
  return Number(count) * hours[unit as keyof typeof hours] * HOUR;
}
