import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { matchesAny, refuseUnmatched } from '../../src/compress/patterns.js';

const names = ['patch', 'head', 'layers.0.fc1', 'layers.0.fc2', 'layers.1.fc1', 'layers.1.fc2'];

describe('patterns of names', () => {
  test('match whole names, with * for any characters', () => {
    expect(names.filter((name) => matchesAny(name, ['layers.*.fc2', 'patch']))).toEqual([
      'patch',
      'layers.0.fc2',
      'layers.1.fc2',
    ]);
    expect(matchesAny('layersx0.fc1', ['layers.0.fc1'])).toBe(false);
  });

  test('that name something are fine', () => {
    expect(() => refuseUnmatched('precision.float16', ['*', 'head', 'layers.1.*'], names)).not.toThrow();
    expect(() => refuseUnmatched('quantize.keep', [], names)).not.toThrow();
  });

  test.each(['nothing', 'layers.2.fc1', 'fc1', ''])('"%s", which names nothing, is refused', (stray) => {
    expect(() => refuseUnmatched('precision.float16', ['head', stray], names)).toThrow(InputError);
    expect(() => refuseUnmatched('precision.float16', ['head', stray], names)).toThrow(
      /precision\.float16.*layers\.\*\.fc1/,
    );
  });

  test('are refused with the nearest name', () => {
    expect(() => refuseUnmatched('precision.float16', ['haed'], names)).toThrow('"head"');
  });
});
