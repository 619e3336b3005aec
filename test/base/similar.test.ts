import { expect, it } from 'vitest';
import { nearest } from '../../src/base/similar.js';

const known = ['profile', 'prune', 'merge-tokens', 'precision', 'quantize', 'head'];

it.each([
  ['prun', 'prune'],
  ['purne', 'prune'],
  ['quantise', 'quantize'],
  ['Merge-Token', 'merge-tokens'],
  ['precison', 'precision'],
])('%s is near %s', (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});

it.each(['', 'xyz', 'distil', 'awq'])('nothing is near "%s"', (word) => {
  expect(nearest(word, known)).toBeUndefined();
});
