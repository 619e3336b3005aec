import { describe, expect, it } from 'vitest';
import { ranksOf } from '../../src/stats/ranks.js';

describe('ranks', () => {
  it('count from 1, equal values share the mean of theirs', () => {
    expect(ranksOf([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2]);
    expect(ranksOf([Infinity, -Infinity, 0])).toEqual([3, 1, 2]);
    expect(ranksOf([])).toEqual([]);
  });

  it('are refused to NaN, and say where it stands', () => {
    expect(() => ranksOf([1, NaN, 2])).toThrow(/value 1 of 3/);
  });
});
