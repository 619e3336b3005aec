import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { scriptCommand, shellQuote } from '../../../src/device/ssh/quote.js';

const hostile = [
  'plain',
  '',
  ' ',
  '-rf',
  "it's",
  "'; touch /tmp/hacked; '",
  '$(touch /tmp/hacked)',
  '`id`',
  '$HOME ~ * ? [a-z] {a,b}',
  'a\nb\\n',
  '\\',
  "\\'",
  '"double"',
  '!history #comment && ls | cat > file < file ; exit 3',
  'ünïcödé 🙂',
  '\t',
];

describe('a word for a shell', () => {
  it.each(['sh', 'bash'])('comes out of %s as it went in', (shell) => {
    const words = hostile.map(shellQuote).join(' ');
    const text = execFileSync(shell, ['-c', `for word in ${words}; do printf '%s\\0' "$word"; done`]);
    expect(text.toString().split('\0').slice(0, -1)).toEqual(hostile);
  });

  it('arrives at a script as its arguments, whatever it is', () => {
    const command = scriptCommand('for each; do printf "%s\\0" "$each"; done', hostile);
    const text = execFileSync('bash', ['-c', command]);
    expect(text.toString().split('\0').slice(0, -1)).toEqual(hostile);
  });

  it('has no NUL character', () => {
    expect(() => shellQuote('a\0b')).toThrow(RangeError);
  });
});
