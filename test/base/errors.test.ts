import { describe, expect, test } from 'vitest';
import { InputError, messageOf } from '../../src/base/errors.js';

describe('InputError', () => {
  test('says where, what was found and what was expected', () => {
    expect(new InputError({ source: 'a.yaml', found: '5', expected: 'a name' }).message).toBe(
      'a.yaml: found 5; expected a name',
    );
    expect(new InputError({ source: 'a.yaml', place: 'seed', found: '5', expected: 'a name' }).message).toBe(
      'a.yaml: seed: found 5; expected a name',
    );
  });

  test('puts the hint on a line of its own', () => {
    const error = new InputError({ source: '--results', found: 'a', expected: 'b', hint: 'Do this.' });
    expect(error.message).toBe('--results: found a; expected b\nDo this.');
  });
});

describe('messageOf', () => {
  test('is the message of an error and the text of anything else', () => {
    expect(messageOf(new RangeError('too far'))).toBe('too far');
    expect(messageOf('thrown text')).toBe('thrown text');
    expect(messageOf(undefined)).toBe('undefined');
  });
});
