import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, it } from 'vitest';
import { Bar } from '../../src/cli/output/bar.js';
import { exitCodes } from '../../src/cli/failure.js';
import { edgeflex } from './support.js';

/** Sets a terminal's title, moves its cursor and clears it; and the names around that are to be seen. */
const COMMANDS = 'seen\u001b]0;title\u0007\u001b[2J\u009b1;1Halso';

it('an error commands no terminal, whatever was typed or read', async () => {
  const { code, err } = await edgeflex(['run', `${COMMANDS}.yaml`], {});
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain('seenalso.yaml');
  for (const control of ['\u001b', '\u0007', '\u009b']) expect(err).not.toContain(control);
});

it('a line of progress commands no terminal', () => {
  const stream = new PassThrough();
  new Bar(stream as unknown as WriteStream).line(`${COMMANDS}\n`);
  expect(String(stream.read())).toBe('seenalso\n\n');
});
