import { CommanderError } from 'commander';
import { withoutControls } from '../base/control.js';
import { DeviceError, InputError, messageOf, ResourceError } from '../base/errors.js';
import { systemFailure } from '../base/write-failure.js';

/** What the process ends with. */
export const exitCodes = {
  fine: 0,
  /** A gate failed: a regression, a threshold. */
  gate: 1,
  /** Bad usage or bad input. */
  usage: 2,
  /** A device or a cell failed, or the machine has run out of something. */
  device: 3,
  /** A fault of EdgeFlex. */
  internal: 70,
  /** Stopped by Ctrl-C, as shells count it. */
  interrupted: 130,
  /** Stopped by SIGTERM, as shells count it. */
  terminated: 143,
} as const;

/** The user asked to stop; the message says what was kept and how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(
    message: string,
    readonly signal: NodeJS.Signals,
  ) {
    super(message);
  }
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
    console.error(`\n${withoutControls(error.message)}`);
    return exitCodeOf(error);
  }
  const { code, message } = failureOf(error);
  console.error(`error: ${withoutControls(message)}`);
  if (verbose && error instanceof Error) console.error(withoutControls(error.stack ?? ''));
  else if (code === exitCodes.internal) console.error('This is a bug in edgeflex; --verbose shows where.');
  return code;
}

/** What a process ends with that was asked to stop, and did so in good order. */
export function exitCodeOf(reason: unknown): number {
  const terminated = reason instanceof Interrupted && reason.signal === 'SIGTERM';
  return terminated ? exitCodes.terminated : exitCodes.interrupted;
}

/** What an error means for whoever called the command. */
function failureOf(error: unknown): { readonly code: number; readonly message: string } {
  const message = messageOf(error);
  if (error instanceof InputError) return { code: exitCodes.usage, message };
  if (error instanceof DeviceError || error instanceof ResourceError)
    return { code: exitCodes.device, message };
  const system = systemFailure(error);
  return system === undefined ? { code: exitCodes.internal, message } : failureOf(system);
}
