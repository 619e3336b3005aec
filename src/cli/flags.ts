import { InvalidArgumentError } from 'commander';

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
 * @throws InvalidArgumentError when they are not different whole numbers from 1 on
 */
export function batchSizes(text: string): number[] {
  const sizes = text.split(',').map(Number);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1) || new Set(sizes).size !== sizes.length)
    throw new InvalidArgumentError(
      'Expected different whole numbers above 0 with commas between them, such as 1,8.',
    );
  return sizes;
}
