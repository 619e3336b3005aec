import { describe, expect, it } from 'vitest';
import { ratio, times } from '../../src/text/format.js';

describe('a ratio', () => {
  it('is within a twentieth of what it stands for, however small or large', () => {
    for (let value = 0.0002; value < 1e6; value *= 1.37) {
      expect(ratio(value)).not.toContain('e');
      expect(Math.abs(Number(ratio(value)) / value - 1)).toBeLessThan(0.05);
    }
  });

  it('has two decimals where they say enough', () => {
    expect(times({ value: 2.504, low: 0.998, high: 12.345 })).toBe('2.50× (1.00–12.35)');
    expect(times({ value: 1.2, low: 0.0019, high: 533.2 })).toBe('1.20× (0.0019–533)');
  });
});
