import { InvalidArgumentError } from 'commander';
import { MAX_BATCH, MAX_ROUNDS, MOST_SEARCH_SECONDS } from '../../base/limits.js';
import {
  readBytes,
  readDuration,
  readPlain,
  readPoints,
  readShare,
  readWhole,
} from '../../base/quantities.js';

/*
 * What flags take: each reads a text as "base/quantities.ts" writes quantities, and throws InvalidArgumentError, which commander tells
 * with the flag's name, for anything out of its bounds.
 */

/** A flag that may be given several times: its values in order. */
export function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** @throws InvalidArgumentError when it is no whole number within bounds */
function wholeWithin(value: string, least: number, most: number): number {
  const number = readWhole(value);
  if (number !== undefined && number >= least && number <= most) return number;
  throw new InvalidArgumentError(
    most === MOST_COUNT
      ? `Expected a whole number of at least ${least}, such as 20.`
      : `Expected a whole number from ${least} to ${most}.`,
  );
}

/** Nine digits. */
const MOST_COUNT = 999_999_999;

/** A flag that counts something: from 1 on. */
export function wholeNumber(value: string): number {
  return wholeWithin(value, 1, MOST_COUNT);
}

/** A flag that says how many to keep: from 0 on. */
export function countOf(value: string): number {
  return wholeWithin(value, 0, MOST_COUNT);
}

/** A flag that random numbers come from. */
export function seedOf(value: string): number {
  return wholeWithin(value, 0, MOST_COUNT);
}

/**
 * A flag that counts rounds.
 *
 * @param least - fewer say nothing
 */
export function roundsFrom(least: number): (value: string) => number {
  return (value) => wholeWithin(value, least, MAX_ROUNDS);
}

/** A flag that is the size of a batch, in images. */
export function batchSize(value: string): number {
  return wholeWithin(value, 1, MAX_BATCH);
}

/** A flag that lists batch sizes: `1,8`. */
export function batchSizes(text: string): number[] {
  const sizes = text.split(',').map((size) => batchSize(size));
  if (new Set(sizes).size !== sizes.length)
    throw new InvalidArgumentError('Expected different sizes separated by commas, such as 1,8.');
  return sizes;
}

/** A share beyond a hundredfold, or more points than there are, would find nothing. */
const MOST_SHARE = 100;
const MOST_POINTS = 1;
const MOST_COSINE = 2;

/** A flag that is a change as a share: `2%` is 0.02. */
export function shareOf(text: string): number {
  const share = readShare(text);
  if (share !== undefined && share <= MOST_SHARE) return share;
  throw new InvalidArgumentError(`Expected a percentage, such as 2%, of at most ${MOST_SHARE * 100}%.`);
}

/** A flag that is a part of a whole: `20%` is 0.2. */
export function partOf(text: string): number {
  const part = readShare(text);
  if (part !== undefined && part > 0 && part < 1) return part;
  throw new InvalidArgumentError('Expected more than 0 % and less than 100 %, such as 20% or 0.2.');
}

/** A flag that is a share of a whole, all of it too: `100%` is 1. */
export function upToAll(text: string): number {
  const share = readShare(text);
  if (share !== undefined && share > 0 && share <= 1) return share;
  throw new InvalidArgumentError('Expected more than 0 % and at most 100 %, such as 20% or 0.2.');
}

/** A flag that is a number above 0, without a unit. */
export function positiveNumber(text: string): number {
  const number = readPlain(text);
  if (number !== undefined && number > 0) return number;
  throw new InvalidArgumentError('Expected a number above 0, such as 2.5.');
}

/** A flag that is a difference of accuracies: `0.3pt` is 0.003. */
export function pointsOf(text: string): number {
  const points = readPoints(text);
  if (points !== undefined && points <= MOST_POINTS) return points;
  throw new InvalidArgumentError(
    `Expected points of top-1, such as 0.3pt, of at most ${MOST_POINTS * 100}pt.`,
  );
}

/** A flag that is a difference of cosines: `0.001`. */
export function cosineOf(text: string): number {
  const difference = readPlain(text);
  if (difference !== undefined && difference <= MOST_COSINE) return difference;
  throw new InvalidArgumentError(`Expected a number, such as 0.001, of at most ${MOST_COSINE}.`);
}

/** A flag that is a size: `8GiB`, in bytes; without a unit, bytes. */
export function sizeOf(text: string): number {
  const bytes = readBytes(text, true);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('Expected a size, such as 8GiB, 500MB or 0.');
}

const MOST_WEEKS = 99_999;

/** A flag that is an age: `36h`, `90d`, `12w`, in milliseconds. */
export function ageOf(text: string): number {
  const age = readDuration(text);
  if (age !== undefined && age <= MOST_WEEKS * 7 * 24 * 3600 * 1000) return age;
  throw new InvalidArgumentError('Expected hours, days or weeks, such as 36h, 90d or 12w.');
}

/** A flag that says how long a search may take: `30min`, `8h`, in seconds. */
export function searchTimeOf(text: string): number {
  const seconds = (readDuration(text) ?? 0) / 1000;
  if (seconds > 0 && seconds <= MOST_SEARCH_SECONDS) return seconds;
  throw new InvalidArgumentError('Expected a time of at most 30 days, such as 30min or 8h.');
}
