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
