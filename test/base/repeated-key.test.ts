import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatedKey } from '../../src/base/repeated-key.js';

describe('a key that an object has twice', () => {
  it('is found wherever it stands, whatever the values are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, at) => {
        const entries = Object.entries(object).map(([key, value]) => [key, JSON.stringify(value)] as const);
        const text = (all: typeof entries): string =>
          `{${all.map(([key, value]) => `${JSON.stringify(key)} : ${value}`).join(' ,')}}`;
        expect(repeatedKey(text(entries))).toBeUndefined();
        const [key] = entries[at % entries.length]!;
        expect(repeatedKey(text([...entries, [key, '[{"a":1}]']]))).toBe(key);
      }),
    );
  });

  it('is the same key however it is written', () => {
    expect(repeatedKey('{"a": 1, "\\u0061": 2}')).toBe('a');
  });

  it('is not one of an object within it', () => {
    expect(repeatedKey('{"a": {"b": 1}, "b": {"a": [{"a": 1}, "a"]}}')).toBeUndefined();
  });
});
