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
