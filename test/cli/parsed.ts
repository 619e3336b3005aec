import { Command } from 'commander';
import { commands } from '../../src/cli/commands.js';

/** Thrown in place of a command's work: all of its words were taken. */
class Parsed extends Error {}

/**
 * Words of a line, as a shell gives them to the program: up to a pipe, a redirection or a comment.
 *
 * @param line - as it is typed
 */
export function wordsOf(line: string): string[] {
  const alone = line.split(/ [|>#]/)[0]!;
  return [...alone.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, plain]) => one ?? two ?? plain!);
}

/**
 * Whether the command line takes some words, without doing what they say.
 *
 * @param words - without the program's name
 * @returns what it does not take; undefined when it takes all of them
 */
export async function refusalOfWords(words: readonly string[]): Promise<string | undefined> {
  const entry = commands.find(({ name }) => name === words[0]);
  if (entry === undefined) return `no command ${words[0]}`;
  // Fresh: what is given to a command stays in it.
  const root = new Command('edgeflex').option('--verbose').option('-q, --quiet').exitOverride();
  root.configureOutput({ writeErr: () => undefined });
  const own = await entry.load();
  root.addCommand(own.copyInheritedSettings(root));
  for (const each of own.commands) each.copyInheritedSettings(own);
  root.hook('preAction', () => {
    throw new Parsed();
  });
  const error: unknown = await root
    .parseAsync([...words], { from: 'user' })
    .catch((reason: unknown) => reason);
  if (error instanceof Parsed) return undefined;
  return error instanceof Error ? error.message : 'nothing ran';
}
