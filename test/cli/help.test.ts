import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.js';
import { completes } from '../../src/cli/completion/kinds.js';
import { examplesOf } from '../../src/cli/help.js';
import { refusalOfWords, wordsOf } from './parsed.js';
import { command, onTerminal } from './terminal.js';

const loaded = await Promise.all(commands.map((entry) => entry.load()));

/** A command and all below it, each with its words. */
function all(of: Command, path = of.name()): (readonly [path: string, command: Command])[] {
  return [[path, of] as const, ...of.commands.flatMap((child) => all(child, `${path} ${child.name()}`))];
}

const every = loaded.flatMap((each) => all(each));
const shown = every.filter(([path]) => path !== 'completion suggest');

test.each(shown)(
  'the help of %s ends with two examples or more, which the command takes',
  async (path, child) => {
    const examples = examplesOf(child);
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) {
      const [program, ...words] = wordsOf(example);
      expect([program, words.join(' ')]).toEqual(['edgeflex', expect.stringContaining(path)]);
      expect(await refusalOfWords(words), example).toBeUndefined();
    }
  },
);

test('completion knows what every flag and every place takes', () => {
  const unknown = shown.flatMap(([path, child]) => [
    ...child.options
      .filter(({ required, optional, argChoices }) => (required || optional) && argChoices === undefined)
      .filter(({ long, flags }) => !completes(path, long!, /[<[]([^>\]]+)[>\]]/.exec(flags)![1]!))
      .map(({ flags }) => `${path} ${flags}`),
    ...child.registeredArguments
      .filter(({ argChoices }) => argChoices === undefined)
      .filter((argument) => !completes(path, argument.name(), argument.name()))
      .map((argument) => `${path} <${argument.name()}>`),
  ]);
  expect(unknown).toEqual([]);
});

test('every command that prints a result prints it as JSON, too', () => {
  // What completes in a shell is a script for that shell, and no result.
  const leaves = shown.filter(([path, child]) => child.commands.length === 0 && path !== 'completion');
  const without = leaves.filter(([, { options }]) => !options.some(({ long }) => long === '--json'));
  expect(without.map(([path]) => path)).toEqual([]);
});

describe('help on a terminal', () => {
  test.each([60, 80, 100])('of %d columns fits', async (columns) => {
    const texts = await Promise.all(
      [['--help'], ['run', '--help'], ['cache', 'prune', '--help']].map((words) =>
        onTerminal(command(...words), { columns }),
      ),
    );
    for (const { code, shown: text } of texts) {
      expect(code).toBe(0);
      const wide = text.split(/\r?\n/).filter((line) => line.length > columns);
      expect(wide).toEqual([]);
    }
  });
});
