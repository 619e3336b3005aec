import { describe, expect, test } from 'vitest';
import { batch, productOf, sizeAt, symbolOf, type Dim } from '../../src/onnx/dims.js';

describe('symbolOf and sizeAt', () => {
  test.each<[Dim, number | string, number]>([
    [7, 7, 7],
    [0, 0, 0],
    [batch, 'batch', 8],
    [{ perBatch: 197 }, '197*batch', 1576],
  ])('agree on %j', (dim, symbol, size) => {
    expect(symbolOf(dim)).toBe(symbol);
    expect(sizeAt(symbolOf(dim), 8)).toBe(size);
  });

  test('leave a free dimension free', () => {
    expect(symbolOf({ free: 'tokens' })).toBe('tokens');
    for (const symbol of ['tokens', '?', 'batchsize', '2*tokens', '*batch', 'batch*2', '1.5*batch', ''])
      expect(sizeAt(symbol, 8)).toBeUndefined();
  });
});

describe('productOf', () => {
  test('multiplies fixed dimensions, and at most one that depends on the batch', () => {
    expect(productOf([])).toBe(1);
    expect(productOf([2, 3, 4])).toBe(24);
    expect(productOf([batch, 197])).toEqual({ perBatch: 197 });
    expect(productOf([2, { perBatch: 3 }, 5])).toEqual({ perBatch: 30 });
  });

  test('refuses what has no name', () => {
    expect(() => productOf([batch, batch])).toThrow(RangeError);
    expect(() => productOf([2, { free: 'tokens' }])).toThrow('tokens');
  });
});
