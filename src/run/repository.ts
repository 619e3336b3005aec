import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../base/errors.js';
import type { Repository, UntoldRepository } from '../store/repository.js';

const run = promisify(execFile);

/**
 * Looks up the git state of a directory.
 *
 * @param directory - any
 * @returns null outside a checkout and before the first commit; why, in a checkout whose commit git does not tell
 */
export async function readRepository(directory: string): Promise<Repository | UntoldRepository | null> {
  const git = async (...args: string[]): Promise<string> =>
    // What git says is read by a program, and a file that git only wants to refresh is no reason to write to the repository.
    (
      await run('git', ['-C', directory, '--no-optional-locks', ...args], {
        env: { ...process.env, LC_ALL: 'C' },
      })
    ).stdout.trim();
  try {
    const [commit, committedAt] = (
      await git('show', '--no-patch', '--no-show-signature', '--format=%H %cI', 'HEAD')
    ).split(' ') as [string, string];
    return {
      commit,
      committedAt: new Date(committedAt).toISOString(),
      branch: await git('symbolic-ref', '--short', 'HEAD').catch(() => null),
      // Untracked files do not count: the run's own results are among them.
      dirty: (await git('status', '--porcelain', '--untracked-files=no')) !== '',
    };
  } catch (error) {
    return isCheckout(directory) ? untold(error) : null;
  }
}

/** Whether a directory lies in a checkout, as far as can be seen without git. */
function isCheckout(directory: string): boolean {
  const here = resolve(directory);
  return existsSync(join(here, '.git')) || (dirname(here) !== here && isCheckout(dirname(here)));
}

/** What git says, in the language that it was asked to use, of a repository of another user (since 2.35.2). */
const DUBIOUS = /dubious ownership|unsafe repository/i;

/** What it says before the first commit. */
const NO_COMMIT = /ambiguous argument 'HEAD'|bad revision 'HEAD'|unknown revision/i;

function untold(error: unknown): UntoldRepository | null {
  const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return { untold: 'no-git', said: messageOf(error) };
  const said = stderr.trim().split('\n', 1).join();
  if (NO_COMMIT.test(stderr)) return null;
  return { untold: DUBIOUS.test(stderr) ? 'dubious-ownership' : 'git-failed', said };
}
