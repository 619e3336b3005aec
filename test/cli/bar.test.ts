import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, it } from 'vitest';
import { Bar } from '../../src/cli/bar.js';

/** A model whose folder has a name that clears the screen and fills the clipboard. */
const NAME = 'model\u001b[2J\u001b]52;c;cm0=\u0007 / fp32';

it.each([true, false])('what it shows does not command the terminal (a terminal: %s)', (isTTY) => {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 });
  const bar = new Bar(stream as unknown as WriteStream);
  bar.line(`  ${NAME}: made in 1 s\n  and more`);
  bar.show(0.5, `${NAME}: looking`);
  bar.show(0.6, `${NAME}: looking`);
  bar.end();
  const shown = String(stream.read());
  expect(shown).toContain('model / fp32: made in 1 s\n  and more');
  if (isTTY) expect(shown).toContain('model / fp32: looking');
  for (const command of ['\u001b[2J', '\u001b]52', '\u0007']) expect(shown).not.toContain(command);
});
