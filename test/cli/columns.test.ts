import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { edgeflexProcess } from './support.js';
import { command, onTerminal } from './terminal.js';

const folder = mkdtempSync(join(tmpdir(), 'edgeflex-columns-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const words = ['run', 'quickstart', '--images', '32', '--batch', '1,8', '--tier', 'smoke', '--rounds', '2'];
let run: string;

/** A run with a table of its own, made once. */
beforeAll(async () => {
  const { code, out, err } = await edgeflexProcess([...words, '--json'], {}, folder);
  expect([code, err]).toEqual([0, expect.any(String)]);
  run = (JSON.parse(out) as { run: { id: string } }).run.id;
  await edgeflexProcess(['baseline', 'set', 'main'], {}, folder);
}, 180_000);

/** Lines as a terminal shows them, but for those of progress, which are written over. */
function linesOf(shown: string): string[] {
  return stripVTControlCharacters(shown)
    .split(/\r?\n/)
    .map((line) => line.split('\r').at(-1)!);
}

/** What is printed, and what of it must be seen. */
const printed: readonly (readonly [words: readonly string[], parts: readonly string[]])[] = [
  [['suites'], ['quickstart', 'vit-base-224']],
  [
    ['compare', 'main', 'main'],
    ['int8', 'quickstart'],
  ],
  [['history', 'quickstart'], ['quickstart']],
  [['runs'], ['complete']],
  [
    ['devices', 'list'],
    ['local-cpu', 'raspberry-pi-5'],
  ],
  [['devices', 'kinds', 'ssh'], ['coolDown']],
  [['stages'], ['prune', 'quantize']],
  [['stages', 'prune'], ['compensation']],
  [['baseline', 'list'], ['main']],
  [['runs', 'prune', '--keep', '0', '--dry-run'], ['main']],
  [['procure'], ['local-cpu']],
  [['cache', 'list'], ['entries']],
];

/** All of it where there is little room; what is widest also elsewhere. */
const places = [
  ...printed.map((each) => [60, ...each] as const),
  ...[80, 160].flatMap((columns) => printed.slice(0, 3).map((each) => [columns, ...each] as const)),
];

describe('on a terminal', () => {
  test.each(places)('of %d columns, %j fits and says all', async (columns, words, parts) => {
    const { shown } = await onTerminal(command(...words), { columns, cwd: folder });
    const lines = linesOf(shown);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    const text = lines.join('').replace(/\s+/g, '');
    for (const part of parts) expect(text).toContain(part);
  });

  test.each([60, 80, 160])('of %d columns, the table of a run fits', async (columns) => {
    const { code, shown } = await onTerminal(command(...words, '--resume', run), { columns, cwd: folder });
    const lines = linesOf(shown);
    expect(code).toBe(0);
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    for (const part of ['fp32', 'pruned', 'int8', 'edgeflex']) expect(lines.join('\n')).toContain(part);
  });
});

describe('colours', () => {
  const shownWith = async (env: NodeJS.ProcessEnv): Promise<string> =>
    (await onTerminal(command('suites'), { cwd: folder, env })).shown;

  test('are shown on a terminal, unless NO_COLOR says otherwise', async () => {
    expect(await shownWith({})).toContain('\u001b[1m');
    expect(await shownWith({ NO_COLOR: '1' })).not.toContain('\u001b[');
    expect(await shownWith({ TERM: 'dumb' })).not.toContain('\u001b[');
  });

  test('are left out where there is no terminal, unless FORCE_COLOR says otherwise', async () => {
    expect((await edgeflexProcess(['suites'], { FORCE_COLOR: undefined }, folder)).out).not.toContain(
      '\u001b[',
    );
    expect((await edgeflexProcess(['suites'], { FORCE_COLOR: '1' }, folder)).out).toContain('\u001b[1m');
  });
});
