import { describe, expect, it } from 'vitest';
import { zip } from '../../src/search/zip.js';

describe('two lists side by side', () => {
  it('pair member by member', () => {
    expect(zip([1, 2], ['a', 'b'])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(zip([], [])).toEqual([]);
  });

  it.each([
    [[1, 2], [1]],
    [[1], [1, 2]],
  ])('are refused where one is longer: %j and %j', (first, second) => {
    expect(() => zip(first, second)).toThrow(/\b1\b.*\b2\b|\b2\b.*\b1\b/);
  });
});
