import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, Command } from 'commander';
import { packageRoot } from '../../base/paths.js';
import { namesOf } from '../completion/names.js';
import type { Completes, NameKind } from '../completion/kinds.js';
import type { CommandShape } from '../completion/shape.js';
import { scripts, shells, type Shell } from '../completion/shells.js';
import { explained } from '../help.js';
import { wantedAt, type Suggestion, type Wanted } from '../completion/suggest.js';

/** `edgeflex completion`: what completes commands, flags and names in a shell. */
export function completionCommand(): Command {
  const command = new Command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(scripts[shell]);
    })
    .addCommand(suggestCommand(), { hidden: true });
  return explained(command, {
    notes: [
      'Completes commands, flags and their values: names of suites, recipes, devices, models and images, stored runs and baselines.',
    ],
    examples: [
      'edgeflex completion bash >> ~/.bashrc',
      'edgeflex completion zsh > ~/.zfunc/_edgeflex',
      'edgeflex completion fish > ~/.config/fish/completions/edgeflex.fish',
    ],
  });
}

/** What the shells call: the words that may stand where the user is. */
function suggestCommand(): Command {
  return new Command('suggest')
    .addArgument(new Argument('<shell>').choices(shells))
    .argument('<index>')
    .argument('[words...]')
    .action(async (shell: Shell, index: string, words: readonly string[]) => {
      // Without the program's name, up to the word that is typed.
      const typed = [...words.slice(1, Number(index)), words[Number(index)] ?? ''];
      const joined = shell === 'bash' ? joinedFlags(typed) : typed;
      const current = joined.at(-1) ?? '';
      const wanted = wantedAt(await commandShapes(), joined);
      const found = (await suggestions(wanted)).filter(({ value }) =>
        `${wanted.before}${value}`.startsWith(current),
      );
      // Bash has the flag and its value as words of their own.
      const before = shell === 'bash' ? '' : wanted.before;
      console.log(
        [
          wanted.value === undefined ? 'none' : pathsOf(wanted.value),
          ...found.map(({ value, description }) => `${before}${value}\t${firstPart(description)}`),
        ].join('\n'),
      );
    });
}

/** Bash breaks words at "=": `--device`, `=`, `local`. */
function joinedFlags(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = joined.at(-1);
    const isBreak = word === '=' && before?.startsWith('--') === true;
    const follows = before?.startsWith('--') === true && before.endsWith('=') && words[index - 1] === '=';
    if (before !== undefined && (isBreak || follows)) joined[joined.length - 1] = before + word;
    else joined.push(word);
  }
  return joined;
}

/** Of all commands, as the build has written them down. */
async function commandShapes(): Promise<readonly CommandShape[]> {
  const file = join(packageRoot(), 'dist', 'command', 'completion.json');
  return JSON.parse(await readFile(file, 'utf8')) as readonly CommandShape[];
}

async function suggestions({ words, value, results }: Wanted): Promise<readonly Suggestion[]> {
  switch (value?.kind) {
    case 'choices':
      return [...words, ...value.values.map((choice) => ({ value: choice, description: '' }))];
    case 'names':
      return [...words, ...(await namesOf(value.of, results))];
    default:
      return words;
  }
}

/** Names in place of which a path may stand. */
const mayBePaths: ReadonlySet<NameKind> = new Set(['suite', 'recipe', 'device', 'model', 'dataset']);

/** What a path may stand for. */
function pathsOf(value: Completes): 'files' | 'folders' | 'none' {
  switch (value.kind) {
    case 'files':
      return 'files';
    case 'folders':
      return 'folders';
    case 'names':
      return mayBePaths.has(value.of) ? 'files' : 'none';
    default:
      return 'none';
  }
}

/** A description as far as there is room for it beside a word. */
function firstPart(description: string): string {
  const [first = ''] = description.split(/[;\n\t]/);
  return first.length > 60 ? `${first.slice(0, 59)}…` : first;
}
