import type { Argument, Command, Option } from 'commander';
import { writeFileSync } from 'node:fs';
import { commands } from '../commands.js';
import { completes, type Completes } from './kinds.js';

/** A command as completion knows it: built with the package, because loading the code of all commands takes longer than a key should. */
export interface CommandShape {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionShape[];
  readonly arguments: readonly ValueShape[];
  readonly commands: readonly CommandShape[];
}

/** A flag. */
export interface OptionShape {
  /** As it is typed: `--device`, and a short form where there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Undefined for one that takes no value. */
  readonly value: (ValueShape & { readonly optional: boolean }) | undefined;
}

/** What a flag or a place takes. */
export interface ValueShape {
  readonly completes: Completes;
  /** Whether any number of words belongs to it. */
  readonly variadic: boolean;
}

/** All commands with everything they take. */
export async function shapeOfAll(): Promise<readonly CommandShape[]> {
  const shapes: CommandShape[] = [];
  for (const entry of commands) shapes.push(shapeOf(await entry.load(), entry.name, entry.description));
  return shapes;
}

/**
 * Writes what `shapeOfAll` gives, for `edgeflex completion` to read.
 *
 * @param path - of the file
 */
export async function writeShape(path: string): Promise<void> {
  writeFileSync(path, JSON.stringify(await shapeOfAll()));
}

function shapeOf(command: Command, path: string, description: string): CommandShape {
  const { options, commands: children } = command;
  const help = command.createHelp();
  return {
    name: command.name(),
    description,
    options: options.filter(({ hidden }) => !hidden).map((option) => optionShape(option, path)),
    arguments: command.registeredArguments.map((argument) => argumentShape(argument, path)),
    commands: help
      .visibleCommands(command)
      .filter((child) => children.includes(child))
      .map((child) => shapeOf(child, `${path} ${child.name()}`, child.description())),
  };
}

/**
 * A flag as completion knows it.
 *
 * @param option - the flag
 * @param path - words of its command: `baseline set`
 */
export function optionShape(option: Option, path: string): OptionShape {
  const { short, long, description, required, optional, variadic, argChoices } = option;
  const flags = [long, short].filter((flag) => flag !== undefined);
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  return {
    flags,
    description,
    value:
      required || optional
        ? { completes: valueOf(path, long ?? '', placeholder ?? '', argChoices), variadic, optional }
        : undefined,
  };
}

function argumentShape(argument: Argument, path: string): ValueShape {
  const name = argument.name();
  return { completes: valueOf(path, name, name, argument.argChoices), variadic: argument.variadic };
}

function valueOf(
  path: string,
  place: string,
  placeholder: string,
  choices: readonly string[] | undefined,
): Completes {
  if (choices !== undefined) return { kind: 'choices', values: choices };
  return completes(path, place, placeholder) ?? { kind: 'nothing' };
}
