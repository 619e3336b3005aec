import { describe, expect, it } from 'vitest';
import { exactLevels } from '../../src/stats/exact-levels.js';

const apart = (first: number, value: number): boolean => Math.abs(value - first) >= 1;

describe('levels of figures without noise', () => {
  it('are none of no values, and one where nothing changed', () => {
    expect(exactLevels([], apart)).toEqual([]);
    expect(exactLevels([5, 5.5, 5], apart)).toEqual([{ from: 0, to: 2, level: 5, error: 0 }]);
  });

  it('change for a single value, and back', () => {
    const spans = exactLevels([5, 5, 9, 5, 5], apart).map(({ from, to, level }) => [from, to, level]);
    expect(spans).toEqual([
      [0, 1, 5],
      [2, 2, 9],
      [3, 4, 5],
    ]);
  });

  it('change where small steps have added up', () => {
    expect(exactLevels([0, 0.4, 0.8, 1.2, 1.6], apart).map(({ from }) => from)).toEqual([0, 3]);
  });
});
