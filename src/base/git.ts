import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from './errors.js';
import type { UntoldCommit } from './untold.js';

const run = promisify(execFile);

/** Of an answer: the hashes of a million commits. */
const MOST_BYTES = 64 * 1024 ** 2;

/**
 * Asks git about the checkout that a directory lies in.
 *
 * @param directory - any
 * @param args - the command and its options
 * @returns what it prints, without the white space around it
 * @throws what `execFile` throws; `whyUntold` says what that means
 */
export async function askGit(directory: string, ...args: string[]): Promise<string> {
  // What git says is read by a program, and a file that git only wants to refresh is no reason to write to the repository.
  const { stdout } = await run('git', ['-C', directory, '--no-optional-locks', ...args], {
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: MOST_BYTES,
  });
  return stdout.trim();
}

/** What git says, in the language that it was asked to use, of a repository of another user (since 2.35.2). */
const DUBIOUS = /dubious ownership|unsafe repository/i;

/** What it says before the first commit. */
const NO_COMMIT = /ambiguous argument 'HEAD'|bad revision 'HEAD'|unknown revision/i;

/**
 * Why git did not tell the commit of a directory.
 *
 * @param directory - that it was asked about
 * @param error - what `askGit` threw
 * @returns null outside a checkout and before the first commit
 */
export function whyUntold(directory: string, error: unknown): UntoldCommit | null {
  if (!isCheckout(directory)) return null;
  const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return { untold: 'no-git', said: messageOf(error) };
  if (NO_COMMIT.test(stderr)) return null;
  const said = stderr.trim().split('\n', 1).join();
  return { untold: DUBIOUS.test(stderr) ? 'dubious-ownership' : 'git-failed', said };
}

/** Whether a directory lies in a checkout, as far as can be seen without git. */
function isCheckout(directory: string): boolean {
  const here = resolve(directory);
  return existsSync(join(here, '.git')) || (dirname(here) !== here && isCheckout(dirname(here)));
}
