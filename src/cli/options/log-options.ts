import { InvalidArgumentError, Option, type Command } from 'commander';
import { logForms, logLevels, type LogForm, type LogLevel } from '../../operations/log.js';

/** How a command that goes on for long tells what happens. */
export interface LogFlags {
  readonly log: LogForm;
  readonly logLevel: LogLevel;
}

/**
 * Adds the options that say how a command that goes on for long tells what happens, on standard error.
 *
 * @param command - that does
 * @returns the command
 */
export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--log <form>',
        'what happens, on standard error: lines, JSON (one object a line), or nothing',
      )
        .choices(logForms)
        .default('pretty'),
    )
    .addOption(
      new Option('--log-level <level>', 'leave out less severe messages').choices(logLevels).default('info'),
    );
}

const HIGHEST_PORT = 65_535;

/** A flag that is a port: 0 is any that is free. */
export function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= HIGHEST_PORT) return port;
  throw new InvalidArgumentError('Expected a port from 0 to 65535, such as 9464.');
}
