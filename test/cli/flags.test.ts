import { expect, it } from 'vitest';
import {
  ageOf,
  batchSize,
  batchSizes,
  countOf,
  partOf,
  pointsOf,
  roundsFrom,
  shareOf,
} from '../../src/cli/options/flags.js';

it('batch sizes and rounds are whole numbers within bounds', () => {
  expect(batchSize('4096')).toBe(4096);
  expect(batchSizes('1, 8,64')).toEqual([1, 8, 64]);
  expect(roundsFrom(8)('8')).toBe(8);
  expect(roundsFrom(1)('1000')).toBe(1000);
});

it('shares, points, counts and ages are read', () => {
  expect([shareOf('2%'), pointsOf('0.3pt'), countOf('20')]).toEqual([0.02, 0.003, 20]);
  expect([ageOf('36h'), ageOf('90d'), ageOf('12w')]).toEqual(
    [36, 90 * 24, 12 * 7 * 24].map((h) => h * 3.6e6),
  );
});

it.each([
  ['share', `${'9'.repeat(400)}%`, shareOf],
  ['share', '2', shareOf],
  ['points', '101pt', pointsOf],
  ['points', '2%', pointsOf],
  ['count', '9'.repeat(10), countOf],
  ['age', '999999999999w', ageOf],
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
  expect(() => parse(value)).toThrow(/^Expected/);
});

it('a part of a whole is a percentage or a number', () => {
  expect([partOf('20%'), partOf('0.2'), partOf('.5'), partOf('1 %')]).toEqual([0.2, 0.2, 0.5, 0.01]);
  for (const bad of ['0', '0%', '1', '100%', '-1%', 'high', '', '20%%']) expect(() => partOf(bad)).toThrow();
});
