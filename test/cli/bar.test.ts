import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { Bar } from '../../src/cli/output/bar.js';
import { setQuiet } from '../../src/cli/output/screen.js';

/** A model whose folder has a name that clears the screen and fills the clipboard. */
const NAME = 'model\u001b[2J\u001b]52;c;cm0=\u0007 / fp32';

it.each([true, false])('what it shows does not command the terminal (a terminal: %s)', (isTTY) => {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 });
  const bar = new Bar(stream as unknown as WriteStream);
  bar.line(`  ${NAME}: made in 1 s\n  and more`);
  bar.show({ task: 'look', done: 0.5, text: `${NAME}: looking` });
  bar.show({ task: 'look', done: 0.6, text: `${NAME}: looking` });
  bar.end();
  const shown = String(stream.read());
  expect(shown).toContain('model / fp32: made in 1 s\n  and more');
  if (isTTY) expect(shown).toContain('model / fp32: looking');
  for (const command of ['\u001b[2J', '\u001b]52', '\u0007']) expect(shown).not.toContain(command);
});

/** What a terminal of so many columns is sent. */
function terminal(columns: number): { readonly stream: WriteStream; readonly read: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 40 });
  return { stream: stream as unknown as WriteStream, read: () => String(stream.read() ?? '') };
}

const percentages = (text: string): number[] =>
  [...text.matchAll(/(\d+) %/g)].map(([, number]) => Number(number));

it('never goes back within a task, also when its line was away, and begins anew with another one', () => {
  const { stream, read } = terminal(100);
  const bar = new Bar(stream);
  const show = (done: number, text: string, task = 'measure'): void => {
    bar.show({ place: 'host', task, done, text });
  };
  show(0.1, 'a');
  show(0.7, 'b');
  show(0.4, 'c');
  show(NaN, 'd');
  bar.leave('host');
  show(0.2, 'e');
  show(7, 'f');
  expect(percentages(read())).toEqual([10, 70, 70, 70, 70, 100]);
  show(0.3, 'g', 'another');
  expect(percentages(read())).toEqual([30]);
});

it('has a line for each place, none of them wider than the terminal', () => {
  for (const columns of [60, 80, 160]) {
    const { stream, read } = terminal(columns);
    const bar = new Bar(stream);
    bar.show({ place: 'one', task: 'a', done: 0.5, text: 'some words '.repeat(20), left: '2 min 05 s left' });
    bar.show({ place: 'two', task: 'a', done: 0.25, text: 'another place', left: '7 s left' });
    // What is drawn anew is drawn where it was: each line once here.
    const lines = stripVTControlCharacters(read())
      .split('\n')
      .filter((line) => line.includes('%'));
    const drawn = [...new Set(lines)];
    expect(drawn).toHaveLength(2);
    for (const line of drawn) expect(line.length).toBeLessThan(columns);
    expect(drawn.map((line) => /left$/.test(line))).toEqual([true, true]);
    expect(drawn[1]).toContain('another place');
  }
});

it('is silent but for errors where the user wants that', () => {
  setQuiet(true);
  try {
    for (const isTTY of [true, false]) {
      const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 });
      const bar = new Bar(stream as unknown as WriteStream);
      bar.show({ task: 'a', done: 0.5, text: 'progress' });
      bar.line('a remark');
      bar.error('a failure');
      bar.end();
      expect(stripVTControlCharacters(String(stream.read())).trim()).toBe('a failure');
    }
  } finally {
    setQuiet(false);
  }
});
