import { globalOptions } from '../global.js';
import type { Completes } from './kinds.js';
import { optionShape, type CommandShape, type OptionShape, type ValueShape } from './shape.js';

/** A word that may stand where the user is. */
export interface Suggestion {
  readonly value: string;
  readonly description: string;
}

/** What may stand where the user is. */
export interface Wanted {
  /** Commands and flags. */
  readonly words: readonly Suggestion[];
  /** What completes a value, if one is to stand there. */
  readonly value: Completes | undefined;
  /** What of the word stands before the value: `--device=`. */
  readonly before: string;
  /** The value of `--results` that the user has given. */
  readonly results: string | undefined;
}

/** What every command takes besides its own flags. */
const everywhere: readonly OptionShape[] = [
  ...globalOptions().map((option) => optionShape(option, '')),
  { flags: ['--help', '-h'], description: 'display help for command', value: undefined },
];

const version: OptionShape = {
  flags: ['--version', '-V'],
  description: 'output the version number',
  value: undefined,
};

/**
 * What may stand where a user is who types a command.
 *
 * @param commands - all there are
 * @param words - behind the program's name up to the one that is being typed, which is the last and may be empty
 */
export function wantedAt(commands: readonly CommandShape[], words: readonly string[]): Wanted {
  const current = words.at(-1) ?? '';
  let at: CommandShape = { name: '', description: '', options: [version], arguments: [], commands };
  const given = new Set<string>();
  let position = 0;
  let pending: (ValueShape & { readonly optional: boolean }) | undefined;
  let results: string | undefined;
  let onlyValues = false;
  let flag = '';
  for (const word of words.slice(0, -1)) {
    if (pending !== undefined && !(pending.optional && word.startsWith('-'))) {
      if (flag === '--results') results = word;
      pending = undefined;
    } else if (word === '--' && !onlyValues) onlyValues = true;
    else if (word.startsWith('-') && word !== '-' && !onlyValues) {
      const [name = '', value] = splitFlag(word);
      flag = name;
      given.add(name);
      if (name === '--results') results = value;
      pending = value === undefined ? optionOf(at, name)?.value : undefined;
    } else {
      pending = undefined;
      const child = position === 0 && !onlyValues ? at.commands.find(({ name }) => name === word) : undefined;
      if (child === undefined) position++;
      else {
        // What a command takes before its subcommand is taken behind it, too.
        at = child;
        position = 0;
      }
    }
  }
  const [name = '', value] = onlyValues ? [] : splitFlag(current);
  const own = { results, before: '' };
  if (pending !== undefined && !pending.optional) return { ...own, words: [], value: pending.completes };
  if (value !== undefined)
    return { ...own, words: [], before: `${name}=`, value: optionOf(at, name)?.value?.completes };
  if (current.startsWith('-') && !onlyValues) return { ...own, words: flagsOf(at, given), value: undefined };
  if (pending !== undefined) return { ...own, words: flagsOf(at, given), value: pending.completes };
  const place = at.arguments[position] ?? (at.arguments.at(-1)?.variadic ? at.arguments.at(-1) : undefined);
  return {
    ...own,
    words:
      position === 0 && !onlyValues
        ? at.commands.map(({ name: value, description }) => ({ value, description }))
        : [],
    value: place?.completes,
  };
}

function splitFlag(word: string): [string?, string?] {
  if (!word.startsWith('--')) return [word];
  const at = word.indexOf('=');
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function optionOf({ options }: CommandShape, name: string): OptionShape | undefined {
  return options.find(({ flags }) => flags.includes(name));
}

/** The flags of a command but for switches that are set already; others may often be given several times. */
function flagsOf({ options }: CommandShape, given: ReadonlySet<string>): Suggestion[] {
  return [...options, ...everywhere]
    .filter(({ flags, value }) => value !== undefined || !flags.some((flag) => given.has(flag)))
    .map(({ flags: [value = ''], description }) => ({ value, description }));
}
