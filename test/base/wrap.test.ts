import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definitions, wrapped } from '../../src/base/wrap.js';

const text = fc
  .array(fc.string({ unit: fc.constantFrom('a', 'b', '–'), minLength: 1, maxLength: 30 }))
  .map((words) => words.join(' '));

describe('text in lines of a width', () => {
  it('is no wider than that, and loses nothing but spaces', () => {
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 4, max: 40 }),
        fc.integer({ min: 0, max: 3 }),
        (words, width, deep) => {
          const lines = wrapped(words, width, ' '.repeat(deep));
          expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
          expect(lines.join('').replaceAll(' ', '')).toBe(words.replaceAll(' ', ''));
        },
      ),
    );
  });

  it('breaks between words where it can, and keeps lines and what they begin with', () => {
    expect(wrapped('one two three', 9, '  ')).toEqual(['one two', '  three']);
    expect(wrapped('  one two\nthree', 7, '  ')).toEqual(['  one', '  two', 'three']);
    expect(wrapped('one two', Infinity)).toEqual(['one two']);
    expect(wrapped('', 10)).toEqual(['']);
  });
});

describe('names with texts', () => {
  it('stand beside each other where there is room, else below', () => {
    expect(definitions([['name', 'a text']], 60)).toEqual(['  name  a text']);
    expect(definitions([['name', 'a text']], 20)).toEqual(['  name', '      a text']);
    const lines = definitions([['name', 'word '.repeat(20).trim()]], 40);
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {8}word/);
  });
});
