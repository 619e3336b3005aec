import { CommanderError } from 'commander';
import { DeviceError, InputError, messageOf } from '../base/errors.js';

/** What the process ends with. */
export const exitCodes = {
  fine: 0,
  /** A gate failed: a regression, a threshold. */
  gate: 1,
  /** Bad usage or bad input. */
  usage: 2,
  /** A device or a cell failed. */
  device: 3,
  /** Stopped by Ctrl-C, as shells count it. */
  interrupted: 130,
} as const;

/** The user asked to stop; the message says what was kept and how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Says on standard error what went wrong, in one message.
 *
 * @param error - what was thrown
 * @param verbose - whether to show the stack, too
 * @returns the exit code
 */
export function reportFailure(error: unknown, verbose: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  if (error instanceof Interrupted) {
    console.error(`\n${error.message}`);
    return exitCodes.interrupted;
  }
  const expected = error instanceof InputError || error instanceof DeviceError;
  console.error(`error: ${messageOf(error)}`);
  if (verbose && error instanceof Error) console.error(error.stack);
  else if (!expected) console.error('This is a fault of edgeflex: --verbose shows where.');
  return error instanceof InputError ? exitCodes.usage : exitCodes.device;
}
