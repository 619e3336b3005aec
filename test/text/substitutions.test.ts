import { describe, expect, it } from 'vitest';
import { parseSubstitutions, type Substitution } from '../../src/base/substitution.js';
import { substitutionsText } from '../../src/text/substitutions.js';

describe("in what a device's form of a variant differs", () => {
  it.each<[Substitution, string[]]>([
    [{ kind: 'weights-only', linears: 24 }, ['W8 instead of W8A8', 'WebGPU']],
    [{ kind: 'float16-linears', linears: 24, computedIn: 'float16' }, ['float16']],
    [{ kind: 'float16-linears', linears: 24, computedIn: 'float32' }, ['float32', 'shader-f16']],
  ])('is stored and read as it is, and named by its facts: %j', (substitution, facts) => {
    const both = [substitution, { kind: 'text', text: 'more' } as const];
    expect(parseSubstitutions(JSON.stringify(both))).toEqual(both);
    for (const fact of [...facts, 'more']) expect(substitutionsText(both)).toContain(fact);
  });

  it.each([
    'W8 instead of W8A8: the same int8 weights in MatMulNBits',
    '[{"kind":"of a later version"}]',
    '5',
  ])('is the words that an older version stored: %s', (stored) => {
    expect(parseSubstitutions(stored)).toEqual([{ kind: 'text', text: stored }]);
    expect(substitutionsText(parseSubstitutions(stored))).toBe(stored);
  });

  it('is nothing where nothing is stored', () => {
    expect(parseSubstitutions(null)).toEqual([]);
  });
});
