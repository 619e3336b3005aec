import { expect, it } from 'vitest';
import { batchSize, batchSizes, roundsFrom } from '../../src/cli/flags.js';

it('batch sizes and rounds are whole numbers within bounds', () => {
  expect(batchSize('4096')).toBe(4096);
  expect(batchSizes('1, 8,64')).toEqual([1, 8, 64]);
  expect(roundsFrom(8)('8')).toBe(8);
  expect(roundsFrom(1)('1000')).toBe(1000);
});

it.each([
  ['batch', '4097', (value: string) => batchSize(value)],
  ['batch', '999999999999', (value: string) => batchSize(value)],
  ['batch', '0', (value: string) => batchSize(value)],
  ['batch', '1e3', (value: string) => batchSize(value)],
  ['sizes', '1,,8', (value: string) => batchSizes(value)],
  ['sizes', '1,8,1', (value: string) => batchSizes(value)],
  ['sizes', '8,999999999999', (value: string) => batchSizes(value)],
  ['rounds', '7', roundsFrom(8)],
  ['rounds', '100000000', roundsFrom(1)],
  ['rounds', '-3', roundsFrom(1)],
])('%s %s is refused', (_, value, parse) => {
  expect(() => parse(value)).toThrow(/expected/);
});
