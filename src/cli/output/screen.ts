import type { WriteStream } from 'node:tty';
import { withoutControls } from '../../base/control.js';

/** Whether the user wants nothing but results and errors. */
let isQuiet = false;

/**
 * Says whether the user wants nothing but results and errors: progress and remarks are then left out.
 *
 * @param quiet - what `--quiet` says
 */
export function setQuiet(quiet: boolean): void {
  isQuiet = quiet;
}

/** Whether progress and remarks are left out. */
export function quiet(): boolean {
  return isQuiet;
}

/**
 * Whether a stream shows colours: `FORCE_COLOR` and `NO_COLOR` decide before the terminal does.
 *
 * @param stream - standard output or standard error
 * @param env - the environment
 */
export function showsColour(
  stream: Pick<WriteStream, 'isTTY'> = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if (env['NO_COLOR']) return false;
  return stream.isTTY && env['TERM'] !== 'dumb';
}

/** How many characters a line of standard output has; `Infinity` where it is no terminal. */
export function screenWidth(): number {
  return process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : Infinity;
}

/**
 * Says something on standard error that is neither a result nor an error; `--quiet` leaves it out.
 *
 * @param text - what to say
 */
export function remark(text: string): void {
  if (!isQuiet) console.error(withoutControls(text));
}
