import type { Command } from 'commander';
import { definitions, wrapped } from '../base/wrap.js';
import { screenWidth } from './output/screen.js';

/** A command line that shows what a command is for, and what it does where the words do not say so. */
export type Example = string | readonly [line: string, meaning: string];

/** What the help of a command says below its flags. */
export interface MoreHelp {
  /** Paragraphs, some of them made for the width of the help; what begins with two spaces stays on lines of its own. */
  readonly notes?: readonly (string | ((width: number) => string))[];
  readonly examples: readonly [Example, Example, ...Example[]];
}

/** Longer lines than this are hard to read. */
const WIDEST = 120;

/** What help is wrapped to where nobody knows the width. */
const USUAL_WIDTH = 100;

const known = new WeakMap<Command, MoreHelp>();

/**
 * Gives a command the end of its help: what else is to know, and examples.
 *
 * @param command - the command
 * @param more - what the help says
 * @returns the command
 */
export function explained(command: Command, more: MoreHelp): Command {
  known.set(command, more);
  return command.addHelpText('after', ({ command: shown }) =>
    moreText(more, shown.configureOutput().getOutHelpWidth?.() ?? helpWidth()),
  );
}

/**
 * The examples of a command as they are typed.
 *
 * @param command - the command
 */
export function examplesOf(command: Command): readonly string[] {
  return (known.get(command)?.examples ?? []).map((example) =>
    typeof example === 'string' ? example : example[0],
  );
}

/** How wide the help of commands is. */
export function helpWidth(): number {
  const width = screenWidth();
  return Number.isFinite(width) ? Math.min(width, WIDEST) : USUAL_WIDTH;
}

/**
 * A line of a help's list: the description stands beside its term where there is room, else below it.
 *
 * @param term - a command, a flag or the name of an argument
 * @param column - how wide the terms of the list are
 * @param description - of the term
 * @param width - of the help
 */
export function helpItem(term: string, column: number, description: string, width: number): string {
  const beside = column + 4;
  if (description === '') return `  ${term}`;
  if (beside + LEAST_BESIDE > width)
    return [`  ${term}`, ...wrapped(`      ${description}`, width, '      ')].join('\n');
  return wrapped(description, width - beside)
    .map((line, index) => `  ${(index === 0 ? term : '').padEnd(column)}  ${line}`)
    .join('\n');
}

/** A description of fewer characters a line is hard to read. */
const LEAST_BESIDE = 36;

function moreText({ notes = [], examples }: MoreHelp, width: number): string {
  const lines = examples.map((example): readonly [string, string] =>
    typeof example === 'string' ? [example, ''] : example,
  );
  return [
    '',
    ...notes.flatMap((note) => [...wrapped(typeof note === 'string' ? note : note(width), width), '']),
    'Examples:',
    ...definitions(lines, width),
  ].join('\n');
}
