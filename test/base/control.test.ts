import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutControls } from '../../src/base/control.js';

describe('a text from outside', () => {
  it.each([
    ['clears the screen', 'a\u001b[2Jb', 'ab'],
    ['sets the clipboard', 'a\u001b]52;c;cm0=\u0007b', 'ab'],
    ['uses the one-byte controls of ISO 6429', 'a\u009b2Jb', 'ab'],
    ['goes back over what it said', 'fine\b\b\b\bbad', 'finebad'],
    ['overwrites its line', 'error\rfine', 'error\nfine'],
    ['turns its direction', 'a\u202egnp.exe', 'agnp.exe'],
  ])('that %s does so no more', (_, text, shown) => {
    expect(withoutControls(text)).toBe(shown);
  });

  it('keeps lines, tabs and letters of any script', () => {
    const text = 'één\tдва\n三 \u05d0\u200f 🙂';
    expect(withoutControls(text)).toBe(text);
  });

  it('never keeps a control character, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(withoutControls(text)).not.toMatch(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});
