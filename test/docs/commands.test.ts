import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { refusalOfWords, wordsOf } from '../cli/parsed.js';

/** Pages that users read; what is generated of the commands themselves needs no test. */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(packageRoot(), 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('reference'))
    .map((name) => join('docs', name)),
];

/** Calls of the command in blocks of code, with something in place of what the reader is to fill in. */
function callsIn(markdown: string): string[] {
  return [...markdown.matchAll(/^```\w*\n(.*?)^```/gms)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.trim().replace(/^npx /, ''))
    .filter((line) => line.startsWith('edgeflex '))
    .map((line) =>
      line
        .replaceAll(/\[(--[^\]]*)\]/g, '$1')
        .replaceAll(/<[^>]*>/g, 'something')
        .replaceAll(/ \[[^\]]*\]/g, ''),
    );
}

test.each(pages)('the commands in %s are taken as they stand there', async (page) => {
  const refused: string[] = [];
  for (const call of callsIn(readFileSync(join(packageRoot(), page), 'utf8'))) {
    const refusal = await refusalOfWords(wordsOf(call).slice(1));
    if (refusal !== undefined) refused.push(`${call}: ${refusal}`);
  }
  expect(refused).toEqual([]);
});

test('commands are found in blocks, and one with an unknown flag or without what it needs is not taken', async () => {
  const [one, two] = callsIn(
    '```sh\nnpx edgeflex run <suite> --rouns 2 # text\n```\n\n```\nedgeflex compress x [--batch 8]\n```\n',
  );
  expect([one, two]).toEqual(['edgeflex run something --rouns 2 # text', 'edgeflex compress x --batch 8']);
  expect(await refusalOfWords(wordsOf(one!).slice(1))).toContain('--rouns');
  expect(await refusalOfWords(wordsOf(two!).slice(1))).toContain('--output');
  expect(await refusalOfWords(['report'])).toBeUndefined();
});
