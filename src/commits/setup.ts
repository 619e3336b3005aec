import { spawn } from 'node:child_process';
import { messageOf } from '../base/errors.js';

/** The variable that tells a setup command where the user's own checkout is: for what git does not hold. */
const CHECKOUT_VARIABLE = 'EDGEFLEX_CHECKOUT';

/** So much of what a failed command said is told. */
const LAST_CHARACTERS = 1500;

/**
 * Makes a work tree ready to be measured: runs the user's command in it, by the shell.
 *
 * @param command - such as `npm ci`
 * @param directory - of the work tree
 * @param checkout - the root of the user's own checkout, in `EDGEFLEX_CHECKOUT`
 * @param signal - ends it when it fires
 * @returns undefined when it succeeded; else why not: the end of what it said
 * @throws the signal's reason when it fires
 */
export async function setUp(
  command: string,
  directory: string,
  checkout: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  const child = spawn(command, {
    ...{ cwd: directory, shell: true, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, [CHECKOUT_VARIABLE]: checkout },
    // A group of its own: what the shell has started is stopped with it.
    detached: process.platform !== 'win32',
  });
  let said = '';
  const hear = (chunk: string): void => {
    said = (said + chunk).slice(-LAST_CHARACTERS);
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  const stop = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  };
  signal.addEventListener('abort', stop);
  const failure = await new Promise<string | undefined>((resolve) => {
    child
      .on('error', (error) => {
        resolve(messageOf(error));
      })
      .on('close', (code, by) => {
        resolve(code === 0 ? undefined : `it ended with ${by ?? code}: ${said.trim()}`);
      });
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return failure;
}
